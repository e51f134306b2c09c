// The gateway on a real cluster: three MiniClusters in two namespaces, each with its HPA, while sidecars, replicas, keys and the
// API server come and go.
import assert from 'node:assert/strict'
import { exec } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { serviceNames } from '#serving/certificates/certificate-names.ts'
import { GATEWAY, TOKEN_AUDIENCE } from '../../webhook/contract.ts'
import { askForNames, createToken } from './support/authority-client.ts'
import { prototypeHpa } from './support/autoscalers.ts'
import { withShared } from './support/cases.ts'
import { createNamespace, remove } from './support/cluster.ts'
import { Fleet } from './support/fleet.ts'
import { FrontProxyRotation } from './support/front-proxy.ts'
import { runImpostor } from './support/impostor.ts'
import { run, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { getRaw, kubectl } from './support/kubectl.ts'
import { API_SERVICES, GROUP } from './support/manifests.ts'
import { MetricLoad, totalNodesOf } from './support/metric-load.ts'
import { shiftToken } from './support/signed-token.ts'
import { eventually, holds } from './support/wait.ts'

const SCOPE = `--namespace=${WEBHOOK_NAMESPACE}`
const SECRET = 'flux-metrics-ca'
const REQUESTS_PER_SECOND = 100
/** The part of the requests that a sidecar may answer too late: other tests may compute on the same machine. */
const LATE = 1 / 500
/** That of `kubectl create token`. */
const TOKEN_LIFE_S = 3_600
const ACCOUNT = {
  namespace: WEBHOOK_NAMESPACE,
  account: GATEWAY,
  audience: TOKEN_AUDIENCE,
} as const
const NAMES = serviceNames(GATEWAY, WEBHOOK_NAMESPACE)

/** Acts under load. Every request has the right answer, or did not reach the gateway: these are returned. */
async function underLoad(
  { cluster, members }: Fleet,
  act: () => Promise<unknown>,
): Promise<readonly string[]> {
  const load = await MetricLoad.start(cluster, members.map(totalNodesOf), REQUESTS_PER_SECOND)
  try {
    await act()
    // What takes no time has its effect on the requests that follow it.
    const enough = load.sent + REQUESTS_PER_SECOND
    await holds('a second of load more', async () => load.sent > enough)
  } finally {
    await load.stop()
  }
  assert.deepEqual([...new Set(load.failures)], [])
  assert.ok(load.late.length <= LATE * load.sent, `late: ${load.late.length}, ${load.late[0]}`)
  assert.equal(load.answered + load.unreached.length + load.late.length, load.sent)
  assert.ok(load.answered > 0)
  return load.unreached
}

async function signer(): Promise<string> {
  return run(['get', 'secret', SECRET, SCOPE, '-o=go-template={{index .data "current.crt"}}'])
}

/** Folder with the keys of the cluster under test; `undefined`: they are not known. */
const PKI = process.env.E2E_PKI
const NO_PKI = 'E2E_PKI does not say where the keys of the cluster are'
let frontProxy: FrontProxyRotation | undefined

withShared('the gateway', () => Fleet.create(), {
  'three HPAs follow their own queues, in two namespaces': async (fleet) => {
    const { first, second, alone, cluster } = fleet
    await fleet.submit(first, 3)
    await fleet.submit(alone, 4)
    for (const member of fleet.members) await cluster.objects.create(fleet.jobsHpa(member))
    await fleet.haveSizes(3, 2, 4)
    await fleet.submit(first, 0)
    await fleet.submit(second, 3)
    await fleet.haveSizes(2, 3, 4)
    for (const member of fleet.members) await fleet.hasValidMetric(member)
  },

  'a second front-proxy CA is announced under load': async (fleet, t) => {
    if (PKI === undefined) return t.skip(NO_PKI)
    const lost = await underLoad(fleet, async () => {
      frontProxy = await FrontProxyRotation.begin(PKI)
    })
    assert.deepEqual(lost, [])
  },

  'while a sidecar is killed only its HPA fails, names it, and holds': async (fleet) => {
    const { first, second, alone } = fleet
    const killed = new Set<string>()
    const failed = await eventually('its HPA to fail', async () => {
      const found = await fleet.scalingActive(second)
      if (found?.reason === 'FailedGetObjectMetric') return found
      // Kubernetes keeps it away for longer each time. One that was told to end still runs for a moment, and one that has
      // just started does not hear it: as process 1 it has no default for the signal. So each is told until it is gone.
      const running = await fleet.runningSidecar(second)
      if (running !== undefined && (await fleet.killSidecar(second))) killed.add(running)
      return undefined
    })
    assert.match(failed.message ?? '', new RegExp(second.name))
    for (const member of [first, alone]) {
      const active = await fleet.scalingActive(member)
      assert.doesNotMatch(active?.message ?? '', new RegExp(second.name))
      await fleet.hasValidMetric(member)
    }
    assert.deepEqual(await fleet.sizes(), [2, 3, 4])
    // One that was told to end serves for some seconds more.
    await holds('a sidecar that was started since', async () => {
      const running = await fleet.runningSidecar(second)
      const isNext = running !== undefined && !killed.has(running)
      return isNext && !(await fleet.isSidecarStopping(second))
    })
    await fleet.serves(second)
  },

  "the prototype's HPA is served for the only MiniCluster of its namespace": async (fleet) => {
    const { alone, cluster } = fleet
    const path = ({ namespace }: { readonly namespace: string }) =>
      `/apis/${GROUP}/v1beta2/namespaces/${namespace}/services/custom-metrics-apiserver/node_up_count`
    await remove(cluster, fleet.jobsHpa(alone))
    await fleet.submit(alone, 0)
    // Fewer nodes are up than its target: it shrinks.
    await cluster.objects.create(prototypeHpa(alone.namespace, 8))
    await fleet.haveSizes(2, 3, 2)
    await getRaw(path(alone))
    const { stderr } = await kubectl(['get', '--raw', path(fleet.first)])
    assert.match(stderr, /flux-other/)
    await remove(cluster, prototypeHpa(alone.namespace, 8))
  },

  'a pod with copied labels receives and answers nothing': async (fleet) => {
    await using impostor = await runImpostor(fleet.cluster, await fleet.lead(fleet.alone))
    assert.deepEqual(await underLoad(fleet, () => pause(3_000)), [])
    assert.doesNotMatch(await impostor.log(), /request/)
  },

  'the authority refuses tokens that are not of a running pod of the gateway': async (fleet) => {
    const [pod = ''] = await fleet.gatewayPods()
    const own = { ...ACCOUNT, pod }
    const answer = await askForNames(await createToken(own), NAMES)
    assert.equal(answer.code, 200, answer.body)
    const { namespace, account, audience } = own
    const lead = (await fleet.lead(fleet.alone)).metadata
    const stolen = {
      'another audience': { ...own, audience: 'other' },
      'no pod': { namespace, account, audience },
      'another pod': {
        namespace: fleet.alone.namespace,
        account: 'default',
        audience,
        pod: lead?.name ?? '',
      },
    }
    for (const [what, options] of Object.entries(stolen)) {
      const { code, body } = await askForNames(await createToken(options), NAMES)
      assert.ok(code === 401 || code === 403, `${what}: ${code} ${body}`)
    }
  },

  'a token that has expired is refused': async (fleet, t) => {
    if (PKI === undefined) return t.skip(NO_PKI)
    const [pod = ''] = await fleet.gatewayPods()
    const key = join(PKI, 'sa.key')
    const token = await createToken({ ...ACCOUNT, pod })
    // The signature is as good as the API server's: only the time makes the difference.
    const valid = await askForNames(await shiftToken(token, key, 1), NAMES)
    assert.equal(valid.code, 200, valid.body)
    const expired = await askForNames(await shiftToken(token, key, -TOKEN_LIFE_S - 60), NAMES)
    assert.equal(expired.code, 401, expired.body)
    assert.match(expired.body, /expired/)
  },

  'replicas deleted one by one under load lose no request, and their tokens are worth nothing':
    async (fleet) => {
      const pods = await fleet.gatewayPods()
      const tokens = await Promise.all(pods.map((pod) => createToken({ ...ACCOUNT, pod })))
      const lost = await underLoad(fleet, async () => {
        for (const pod of pods) await fleet.replace(pod)
        await fleet.ended(pods)
      })
      assert.deepEqual(lost, [])
      for (const token of tokens) {
        const { code, body } = await askForNames(token, NAMES)
        assert.ok(code === 401 || code === 403, `${code} ${body}`)
      }
    },

  'a rolling restart under load loses no request': async (fleet) => {
    const pods = await fleet.gatewayPods()
    const lost = await underLoad(fleet, async () => {
      await run(['rollout', 'restart', `deployment/${GATEWAY}`, SCOPE])
      await fleet.installation.rolledOut()
      await fleet.ended(pods)
    })
    assert.deepEqual(lost, [])
  },

  'the CA renewed under load loses no request': async (fleet) => {
    const before = await signer()
    const lost = await underLoad(fleet, async () => {
      const wish = `flux-metrics/renew=${Date.now()}`
      await run(['annotate', 'secret', SECRET, SCOPE, wish, '--overwrite'])
      await holds('another CA that signs', async () => (await signer()) !== before)
      // A replica that starts now has its certificate from the new CA. The sidecars have theirs from the old one.
      const [pod = ''] = await fleet.gatewayPods()
      await fleet.replace(pod)
      await fleet.ended([pod])
    })
    assert.deepEqual(lost, [])
  },

  'the front-proxy CA replaced under load loses no request': async (fleet, t) => {
    if (frontProxy === undefined) return t.skip('no second CA is announced')
    for (const pod of await fleet.gatewayPods()) await frontProxy.knownBy(pod)
    const lost = await underLoad(fleet, async () => {
      await frontProxy?.complete()
      await pause(5_000)
    })
    assert.deepEqual(lost, [])
  },

  // From here on it has only the new CA, and a certificate of that.
  'the API server killed under load: no request that reaches the gateway fails': async (
    fleet,
    t,
  ) => {
    const command = process.env.E2E_RESTART_APISERVER
    if (command === undefined) return t.skip('E2E_RESTART_APISERVER has no command for it')
    const lost = await underLoad(fleet, async () => {
      await pause(2_000)
      await promisify(exec)(command)
      for (const member of fleet.members) await fleet.serves(member)
    })
    t.diagnostic(`${lost.length} requests did not reach the gateway`)
    assert.deepEqual(await underLoad(fleet, () => pause(2_000)), [])
  },

  'without any sidecar the APIs are Available, discovery is clean, and namespaces end': async (
    fleet,
  ) => {
    const { cluster } = fleet
    for (const { namespace } of [fleet.first, fleet.alone]) {
      await run(['delete', 'hpa,miniclusters', '--all', `--namespace=${namespace}`, '--wait=false'])
    }
    await holds('no sidecar', async () => {
      const selector = '--selector=api-server=custom-metrics'
      return (await run(['get', 'pods', '--all-namespaces', selector, '-o=name'])) === ''
    })
    const status = '-o=jsonpath={.status.conditions[?(@.type=="Available")].status}'
    for (const name of API_SERVICES) {
      assert.equal(await run(['get', 'apiservice', name, status]), 'True', name)
    }
    const discovered = await kubectl(['api-resources', '--cached=false'])
    assert.deepEqual([discovered.code, discovered.stderr], [0, ''])
    const start = performance.now()
    const name = await createNamespace(cluster)
    await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    assert.ok(performance.now() - start < 10_000, `${performance.now() - start} ms`)
  },
})
