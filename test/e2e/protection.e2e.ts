// The annotations by which node autoscalers leave pods where they are, as a user of a cluster sees them: on new MiniClusters and
// their pods, not where they are not wanted, and in words where a MiniCluster runs without them.
import assert from 'node:assert/strict'
import * as v from 'valibot'
import { PROTECTION } from '../../webhook/contract.ts'
import { withEnvironment } from './support/cases.ts'
import type { Environment } from './support/environment.ts'
import { run } from './support/installation.ts'
import { kubectl } from './support/kubectl.ts'
import { ENABLED, MINICLUSTER, miniCluster } from './support/manifests.ts'
import { eventually, holds } from './support/wait.ts'

const Annotations = v.optional(v.record(v.string(), v.string()), {})
const Stored = v.object({
  metadata: v.object({ generation: v.number() }),
  spec: v.object({ pod: v.optional(v.object({ annotations: Annotations }), {}) }),
})

/** A MiniCluster as a file. */
function fileOf(namespace: string, name: string, annotations: Record<string, string>): string {
  return JSON.stringify(miniCluster(namespace, { name, size: 1, maxSize: 2, annotations }))
}

async function apply(file: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(['apply', ...args, '-f', '-'], file)
  if (code !== 0) throw new Error(`Cannot apply: ${stderr.trim()}`)
  return stdout
}

/** What the API server has of a MiniCluster's `spec.pod.annotations`, and its generation. */
async function stored({ namespace }: Environment, name: string) {
  const text = await run(['get', 'minicluster', name, `--namespace=${namespace}`, '--output=json'])
  const { metadata, spec } = v.parse(Stored, JSON.parse(text))
  return { generation: metadata.generation, annotations: spec.pod.annotations ?? {} }
}

/** The annotations of a kind of {@link PROTECTION} that each pod has. */
async function protectionOfPods({ cluster, namespace }: Environment, name: string) {
  const { items } = await cluster.core.listNamespacedPod({
    namespace,
    labelSelector: `job-name=${name}`,
  })
  return items.map(({ metadata }) =>
    Object.fromEntries(
      Object.entries(metadata?.annotations ?? {}).filter(([key]) => Object.hasOwn(PROTECTION, key)),
    ),
  )
}

/** The messages of the Events with a reason about a MiniCluster, when there are any. */
async function messages({ namespace }: Environment, name: string, reason: string) {
  const about = `--field-selector=reason=${reason},involvedObject.name=${name}`
  const args = ['get', 'events', `--namespace=${namespace}`, about]
  return eventually(`an Event ${reason}`, async () => {
    const text = await run([...args, '--output=jsonpath={.items[*].message}'])
    return text === '' ? undefined : text
  })
}

withEnvironment('the protection of pods', {
  'a new MiniCluster, all of its pods and an Event have it': async (environment) => {
    assert.deepEqual((await stored(environment, MINICLUSTER)).annotations, PROTECTION)
    assert.deepEqual(await protectionOfPods(environment, MINICLUSTER), [PROTECTION, PROTECTION])
    assert.match(
      await messages(environment, MINICLUSTER, 'MetricsProtected'),
      /leave the pods where they are/,
    )
  },

  'a dry run shows it, and stores nothing': async (environment) => {
    const file = fileOf(environment.namespace, 'dry', ENABLED)
    const shown = JSON.parse(await apply(file, '--dry-run=server', '--output=json'))
    assert.deepEqual(v.parse(Stored, shown).spec.pod.annotations, PROTECTION)
    const scope = `--namespace=${environment.namespace}`
    assert.match((await kubectl(['get', 'minicluster', 'dry', scope])).stderr, /"dry" not found/)
  },

  'a file applied again changes nothing, whichever side applies it': async (environment) => {
    const file = fileOf(environment.namespace, 'again', ENABLED)
    await apply(file)
    const before = await stored(environment, 'again')
    assert.deepEqual(before.annotations, PROTECTION)
    const difference = await kubectl(['diff', '-f', '-'], file)
    assert.deepEqual(difference, { code: 0, stdout: '', stderr: '' })
    await apply(file)
    await apply(file, '--server-side', '--force-conflicts')
    await apply(file, '--server-side')
    assert.deepEqual(await stored(environment, 'again'), before)
  },

  'it is not added where protect is "false", and what the user has set stays': async (
    environment,
  ) => {
    const off = { ...ENABLED, 'flux-metrics/protect': 'false' }
    await apply(fileOf(environment.namespace, 'off', off))
    assert.deepEqual((await stored(environment, 'off')).annotations, {})
    await holds('its pod', async () => (await protectionOfPods(environment, 'off')).length === 1)
    assert.deepEqual(await protectionOfPods(environment, 'off'), [{}])

    const own = { 'karpenter.sh/do-not-disrupt': '30m' }
    const body = miniCluster(environment.namespace, { name: 'own', size: 1, maxSize: 2 })
    const spec = { ...body.spec, pod: { annotations: { ...ENABLED, ...own } } }
    await apply(JSON.stringify({ ...body, spec }))
    assert.deepEqual((await stored(environment, 'own')).annotations, {
      ...PROTECTION,
      ...ENABLED,
      ...own,
    })
  },

  'a MiniCluster that runs already is told, with the cures, and is not changed': async (
    environment,
  ) => {
    const { namespace } = environment
    await apply(fileOf(namespace, 'old', {}))
    await holds('its pod', async () => (await protectionOfPods(environment, 'old')).length === 1)
    const before = await stored(environment, 'old')
    const scope = `--namespace=${namespace}`
    const enabling = ['annotate', 'minicluster', 'old', scope, 'flux-metrics/enabled=true']
    const { code, stderr } = await kubectl(enabling)
    assert.equal(code, 0)
    assert.match(stderr, /Warning: flux-metrics\/protect: node autoscalers may evict pods/)
    // The namespace has a long name.
    assert.match(stderr, /Warning: flux-metrics\/protect: .* in the Event MetricsUnprotected/)
    assert.deepEqual(await stored(environment, 'old'), before)
    const message = await messages(environment, 'old', 'MetricsUnprotected')
    const [, command = ''] = /For the pods that run now: kubectl (.*?)\. /.exec(message) ?? []
    await run(command.split(' '))
    assert.deepEqual(await protectionOfPods(environment, 'old'), [PROTECTION])
  },
})
