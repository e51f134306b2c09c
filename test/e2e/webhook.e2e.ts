// The webhook in operation: replicas, updates, certificates, a restart of the API server. A failed admission has no error
// (failurePolicy Ignore), so pods are created all the time, and each is checked for the sidecar.
import assert from 'node:assert/strict'
import { exec } from 'node:child_process'
import { promisify } from 'node:util'
import { CONTAINER_NAME } from '../../webhook/contract.ts'
import { withEnvironment } from './support/cases.ts'
import type { Environment } from './support/environment.ts'
import { GUARDED, patchAsWebhook, policyWarnings } from './support/guard.ts'
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { MINICLUSTER } from './support/manifests.ts'
import { ReviewLoad } from './support/review-load.ts'
import { hasAdmissionPolicies } from './support/server-version.ts'
import { holds } from './support/wait.ts'
import { countReviews, webhookLog, webhookPods } from './support/webhook.ts'

const SCOPE = `--namespace=${WEBHOOK_NAMESPACE}`
const SECRET = 'flux-metrics-ca'
const REVIEWS_PER_SECOND = 50
const MANY_PODS = 1_000

async function caBundle(): Promise<string> {
  const path = '-o=jsonpath={.webhooks[0].clientConfig.caBundle}'
  const bundle = await run(['get', 'mutatingwebhookconfiguration', WEBHOOK, path])
  return Buffer.from(bundle, 'base64').toString()
}

function certificatesIn(pem: string): number {
  return pem.match(/BEGIN CERTIFICATE/g)?.length ?? 0
}

async function secretKey(key: string): Promise<string> {
  return run(['get', 'secret', SECRET, SCOPE, `-o=go-template={{index .data "${key}"}}`])
}

/** Asks for another CA, and waits until it signs. */
async function renewCa(): Promise<void> {
  const before = await secretKey('current.crt')
  const wish = `flux-metrics/renew=${Date.now()}`
  await run(['annotate', 'secret', SECRET, SCOPE, wish, '--overwrite'])
  await holds('another CA that signs', async () => (await secretKey('current.crt')) !== before)
}

/** The number of CAs that the CA before them has signed. */
async function crossedCas(): Promise<number> {
  const text = Buffer.from(await secretKey('crossed.json'), 'base64').toString()
  return certificatesIn(text)
}

/** How many times the sidecar's container was started again. */
async function sidecarStarts(environment: Environment): Promise<number> {
  const [lead] = await environment.pods()
  const { initContainerStatuses = [], containerStatuses = [] } = lead?.status ?? {}
  const sidecar = [...initContainerStatuses, ...containerStatuses].find(
    ({ name }) => name === CONTAINER_NAME,
  )
  return sidecar?.restartCount ?? assert.fail('no sidecar')
}

/** The messages of the Events with a reason about the MiniCluster. */
async function messagesOf(namespace: string, reason: string): Promise<string> {
  const about = `--field-selector=reason=${reason},involvedObject.name=${MINICLUSTER}`
  return run([
    'get',
    'events',
    `--namespace=${namespace}`,
    about,
    '-o=jsonpath={.items[*].message}',
  ])
}

/** Acts under load, and asserts that every admission of the load had an answer. */
async function underLoad(environment: Environment, act: () => Promise<void>): Promise<void> {
  const load = await ReviewLoad.start(environment, REVIEWS_PER_SECOND)
  try {
    await act()
    await holds('enough reviews', async () => load.answered > REVIEWS_PER_SECOND)
  } finally {
    await load.stop()
  }
  assert.deepEqual(load.failures, [])
  assert.ok(load.late <= load.answered / 20, `${load.late} of ${load.answered} without a processor`)
}

withEnvironment('the webhook in operation', {
  'two replicas that start together create one CA': async () => {
    assert.equal((await webhookPods()).length, 2)
    const log = await webhookLog()
    assert.equal(log.filter(({ msg }) => msg === 'created the CA').length, 1)
    const serials = log.flatMap(({ msg, serial }) =>
      msg === 'issuing certificates with this CA' ? [serial] : [],
    )
    assert.deepEqual([serials.length, new Set(serials).size], [2, 1])
    assert.equal(certificatesIn(await caBundle()), 1)
  },

  'a replica deleted under load fails no admission': async (environment) => {
    await underLoad(environment, async () => {
      const [pod = ''] = await webhookPods()
      await run(['delete', 'pod', pod, SCOPE])
      await environment.installation.rolledOut()
    })
  },

  'a rolling update under load fails no admission': async (environment) => {
    await underLoad(environment, async () => {
      await run(['rollout', 'restart', `deployment/${WEBHOOK}`, SCOPE])
      await environment.installation.rolledOut()
    })
  },

  // Before a new installation: there the Lease of the old leader has to expire.
  'pods that start without a webhook are unchanged, found and told of': async (environment) => {
    const { namespace } = environment
    await run(['scale', `deployment/${WEBHOOK}`, SCOPE, '--replicas=0'])
    await holds('no webhook', async () => (await webhookPods()).length === 0)
    const lead = await environment.lead()
    await run(['delete', 'pod', lead, `--namespace=${namespace}`, '--wait=false'])
    await holds('another index-0 pod', async () => (await environment.lead()) !== lead)
    await environment.readyPods(2)
    // The selector that docs/install/KUSTOMIZE.md gives.
    const selector =
      'app=flux-operator,batch.kubernetes.io/job-completion-index=0,!flux-metrics/minicluster'
    const missed = await run(['get', 'pods', `--namespace=${namespace}`, '-l', selector, '-o=name'])
    assert.equal(missed.trim(), `pod/${await environment.lead()}`)
    await run(['scale', `deployment/${WEBHOOK}`, SCOPE, '--replicas=2'])
    await environment.installation.rolledOut()
    await holds('an Event with the cure', async () => {
      const cure = `kubectl delete pod -n ${namespace} ${await environment.lead()}`
      return (await messagesOf(namespace, 'MetricsMissing')).includes(cure)
    })
    await run(['delete', 'pod', await environment.lead(), `--namespace=${namespace}`])
    await environment.readyPods(2)
    await environment.serving()
    assert.equal((await environment.miniCluster()).metadata?.name, MINICLUSTER)
  },

  'the CA renewed under load fails no admission': async (environment) => {
    await underLoad(environment, renewCa)
    assert.equal(certificatesIn(await caBundle()), 2, 'old and new are both trusted')
    assert.equal(await environment.metric('node_up_count'), 2)
  },

  'after three renewals and a new installation, a container that is started again gets its certificate':
    async (environment) => {
      const before = await sidecarStarts(environment)
      while ((await crossedCas()) < 3) await renewCa()
      await environment.installation.uninstall()
      await holds('no webhook', async () => (await webhookPods()).length === 0)
      await environment.installation.install()
      await environment.serving()
      await environment.inSidecar('/nodejs/bin/node', '-e', 'process.kill(1)')
      await holds('a container that is started again', async () => {
        return (await sidecarStarts(environment)) === before + 1
      })
      await environment.serving()
      const obtained = (await environment.sidecarLog()).filter((line) =>
        line.includes('obtained a certificate'),
      )
      assert.equal(obtained.length, 1)
    },

  'an overwritten caBundle is repaired within 10 s': async () => {
    const bundle = await caBundle()
    const { promise: overwritten, resolve } = Promise.withResolvers<number>()
    await run([
      'patch',
      'mutatingwebhookconfiguration',
      WEBHOOK,
      '--type=json',
      `-p=${JSON.stringify([0, 1].map((index) => ({ op: 'replace', path: `/webhooks/${index}/clientConfig/caBundle`, value: 'Cg==' })))}`,
    ])
    resolve(performance.now())
    await holds('the bundle as it was', async () => (await caBundle()) === bundle)
    const tookMs = performance.now() - (await overwritten)
    assert.ok(tookMs < 10_000, `it took ${tookMs} ms`)
    const restored = (await webhookLog()).filter(({ msg }) =>
      /^restored the CA bundle/.test(String(msg)),
    )
    assert.ok(restored.length >= 1)
  },

  'under components/guard the webhook can change caBundles, and nothing else': async (
    environment,
    t,
  ) => {
    if (!(await hasAdmissionPolicies())) return t.skip('the API server is older than 1.30')
    assert.deepEqual(await policyWarnings(), [])
    const bundle = await caBundle()
    for (const { object, allowed, refused } of GUARDED) {
      for (const patch of refused) {
        assert.match(await patchAsWebhook(object, patch), /ValidatingAdmissionPolicy .* denied/)
      }
      assert.equal(await patchAsWebhook(object, allowed), '')
    }
    // That was not the webhook, but it is not refused either.
    await holds('the bundle as it was', async () => (await caBundle()) === bundle)
    await holds('metrics', async () => (await environment.metric('node_up_count')) === 2)
  },

  '1,000 pods of one MiniCluster cost one review': async (environment) => {
    const reviews = async () => (await countReviews('inject')) + (await countReviews('skip'))
    const before = await reviews()
    const injected = await ReviewLoad.admitPods(environment, MANY_PODS)
    assert.equal(injected, 1)
    assert.equal((await reviews()) - before, 1)
  },

  'after a restart of the API server the next pod is injected': async (environment, t) => {
    const command = process.env.E2E_RESTART_APISERVER
    if (command === undefined) return t.skip('E2E_RESTART_APISERVER has no command for it')
    await promisify(exec)(command)
    await holds('an API server', async () => (await webhookPods()).length === 2)
    await holds('metrics', async () => (await environment.metric('node_up_count')) === 2)
    await underLoad(environment, () => new Promise((resolve) => setTimeout(resolve, 2_000)))
    for (const pod of await webhookPods()) {
      const restarts = '-o=jsonpath={.status.containerStatuses[0].restartCount}'
      assert.equal(await run(['get', 'pod', pod, SCOPE, restarts]), '0')
    }
  },
})
