// Drain before shrink, on a real cluster: jobs keep arriving while an HPA shrinks and grows a MiniCluster, and none loses a
// node. As in production, the ranks of ending pods stay up and schedulable for the pods' grace, and jobs arrive for them just
// then. Without drains (flux-metrics/drain "false" below) some of these jobs fail.
import assert from 'node:assert/strict'
import type { Reader } from '#scaling/snapshot.ts'
import { withEnvironment } from './support/cases.ts'
import { readHistory } from './support/control.ts'
import type { Environment } from './support/environment.ts'
import { run } from './support/installation.ts'
import { submitJobs } from './support/job-stream.ts'
import { ENABLED, GROUP, MINICLUSTER } from './support/manifests.ts'
import { recommendedHpa } from './support/recommended.ts'
import { reason, recordSizes, turnsOf } from './support/scaling.ts'
import { holds } from './support/wait.ts'

/** UID of the broker. It is not root, so that nothing works only as root. */
const UID = 1000
/** Each run draws other jobs. The seed of an earlier run draws the same jobs. */
const SEED = Number(process.env.DRAIN_SEED ?? Date.now() % 1_000_000)
/** A node that an administrator has drained, among the nodes that join and leave. */
const BROKEN = { rank: 2, reason: 'bad DIMM' } as const
const OWN_REASON = /^flux-metrics\/[^:]+: scale-down to \d+$/

/** How many answers the sidecar has given to a reader. */
async function answersTo(environment: Environment, reader: Reader): Promise<number> {
  const pod = `${environment.namespace}/pods/https:${await environment.lead()}:8443`
  const page = await run(['get', '--raw', `/api/v1/namespaces/${pod}/proxy/metrics`])
  const found = page.match(new RegExp(`^flux_answers_total{reader="${reader}"} (\\d+)$`, 'm'))
  return Number(found?.[1] ?? 0)
}

withEnvironment(
  'a MiniCluster that drains before it shrinks',
  {
    "the sidecar has the broker's UID and no other rights": async (environment) => {
      const [lead] = await environment.pods()
      const sidecar = lead?.spec?.initContainers?.find(({ name }) => name === 'flux-metrics')
      const context = sidecar?.securityContext
      assert.deepEqual(JSON.parse(JSON.stringify(context ?? null)), {
        runAsUser: UID,
        runAsGroup: UID,
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      })
      // -O: the file's owner is the user that runs the test, which is the broker's user
      await environment.inLead('test', '-O', '/mnt/flux/config/run/flux/local')
    },

    'jobs arrive for two minutes while it shrinks and grows, and none fails': async (
      environment,
      t,
    ) => {
      t.diagnostic(`DRAIN_SEED=${SEED}`)
      await using sizes = await recordSizes(environment)
      await environment.post('/drain', BROKEN)
      const { hpa } = await recommendedHpa(environment, {
        stabilizationWindowSeconds: 5,
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      })
      await environment.cluster.objects.create(hpa)
      const ids = await submitJobs(environment, {
        seed: SEED,
        lengthMs: 120_000,
        pauseMs: 600,
        gangsAtMs: [0, 62_000],
        gangNodes: [3, 4],
        sizes: sizes.seen,
      })
      await holds('the end of all jobs', async () => {
        return (await readHistory(environment)).jobs.length === ids.length
      })
      const { jobs } = await readHistory(environment)
      assert.deepEqual(
        jobs.filter(({ result }) => result !== 'successful'),
        [],
      )
      const { grown, shrunk } = turnsOf(sizes)
      t.diagnostic(`${jobs.length} jobs, sizes ${sizes.seen().join(' ')}`)
      assert.ok(grown > 0 && shrunk > 0, `grown ${grown}, shrunk ${shrunk}`)
      await reason(environment, MINICLUSTER, 'ValidMetricFound')
    },

    'we drained and undrained ranks, and the broken node stayed as it was': async (environment) => {
      const { nodes } = await readHistory(environment)
      const isOwn = (why = '') => OWN_REASON.test(why)
      const own = nodes.filter((node) => node.name === 'drain' && isOwn(node.reason))
      assert.notDeepEqual(own, [])
      const undrained = nodes.filter(({ name }) => name === 'undrain')
      assert.notDeepEqual(undrained, [])
      // At its start the sidecar had drained all absent ranks. The administrator's drain replaced ours.
      const from = nodes.findIndex((node) => node.reason === BROKEN.reason)
      const later = nodes.slice(from).filter(({ ranks }) => ranks.includes(BROKEN.rank))
      assert.deepEqual(
        later.filter(({ name }) => name === 'drain' || name === 'undrain'),
        [{ name: 'drain', ranks: [BROKEN.rank], reason: BROKEN.reason }],
      )
    },

    'the sidecar knows the HPA controller behind the gateway, and takes nobody else for it': async (
      environment,
    ) => {
      const others = await answersTo(environment, 'other')
      await environment.metric('node_desired_count')
      assert.equal(await answersTo(environment, 'other'), others + 1)
      assert.ok((await answersTo(environment, 'hpa')) > 0)
    },

    'the log of the sidecar has both': async (environment) => {
      const log = (await environment.sidecarLog()).join('\n')
      for (const what of ['drained ranks', 'undrained ranks']) {
        assert.match(log, new RegExp(`"ranks":"[0-9,-]+".*"${what}"`))
      }
    },

    'the API server logged no error about our group': async ({ log }, t) => {
      if (log === undefined) return t.skip("the API server's log cannot be read")
      assert.deepEqual(await log.errors(GROUP), [])
    },
  },
  {
    maxSize: 6,
    minSize: 2,
    user: UID,
    broker: { ROLE: 'owner' },
    annotations: {
      ...ENABLED,
      'flux-metrics/drain': 'true',
      'flux-metrics/run-as-user': String(UID),
      'flux-metrics/idle-grace-seconds': '1',
    },
  },
)
