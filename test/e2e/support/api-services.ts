// The APIServices of the cluster under test. They are cluster-wide, so one e2e file at a time has them.
import { absentAsUndefined } from '../../support/api-answers.ts'
import type { Cluster } from './cluster.ts'
import { run } from './installation.ts'
import { kubectl } from './kubectl.ts'
import { API_SERVICES } from './manifests.ts'
import { holds } from './wait.ts'

/** Throws if an APIService exists that is not ours. One that a crashed run of ours left is applied over. */
export async function claimApiServices({ objects }: Cluster): Promise<void> {
  for (const name of API_SERVICES) {
    const present = await absentAsUndefined(
      objects.read({
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name },
      }),
    )
    if (present === undefined) continue
    if (present.metadata?.labels?.['app.kubernetes.io/part-of'] === 'flux-metrics') continue
    throw new Error(`Cannot test: APIService "${name}" exists and is not ours`)
  }
}

/** Waits until our APIServices are Available. */
export async function awaitApiServices(): Promise<void> {
  // After an edit the API server checks the backend at once, not within half a minute.
  const edit = `flux-metrics/looked=${Date.now()}`
  await run(['annotate', 'apiservices', ...API_SERVICES, edit, '--overwrite'])
  const names = API_SERVICES.map((name) => `apiservice/${name}`)
  await run(['wait', '--for=condition=Available', ...names, '--timeout=90s'])
}

/** Waits until the gateway has published the APIServices, and they are Available. */
export async function awaitPublished(): Promise<void> {
  await holds('the APIServices', async () => {
    return (await kubectl(['get', 'apiservices', ...API_SERVICES])).code === 0
  })
  await awaitApiServices()
}

/** The CAs (PEM) that the API server trusts for our APIServices. */
export async function trustedAuthorities(): Promise<string> {
  const [name = ''] = API_SERVICES
  const bundle = await run(['get', 'apiservice', name, '-o=jsonpath={.spec.caBundle}'])
  return Buffer.from(bundle, 'base64').toString()
}
