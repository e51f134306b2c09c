// Figures of the webhook, on the bundle that its image has: reviews of a real index-0 pod, of a huge one, and memory.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundle } from '../support/build.ts'
import { type Bench, say } from './common.ts'
import { type Figure, median } from './figures.ts'
import { load, residentMiB, type ServerProcess, startServer } from './processes.ts'

/** An index-0 pod as a real API server sent it, and the objects that its look-ups find. */
const CASE = join(import.meta.dirname, '../golden/create-job-index-0-enabled')

const REVIEWS_PER_SECOND = 200
const CONNECTIONS = 8
const ROUNDS = 7
const SECONDS = 4
const MEMORY_REVIEWS = 100_000
const LARGE_BYTES = 3 * 2 ** 20
const LARGE_REVIEWS = 40

/** Those of Dockerfile.webhook, for all: so that it is programs that are compared. */
const NODE_FLAGS = ['--max-semi-space-size=4', '--max-old-space-size=128', '--no-maglev']

type Fields = Readonly<Record<string, unknown>>

/** All of them. */
export async function webhookFigures(bench: Bench): Promise<readonly Figure[]> {
  const objects = await readObjects(bench)
  const apiServer = await startServer(bench.baselines['fake-apiserver'], {
    flags: [],
    env: { ...bench.tls, ANSWERS_FILE: await writeAnswers(bench, objects) },
    probe: '/version',
  })
  const common = {
    ...bench.tls,
    CERTIFICATES: 'files',
    SIDECAR_IMAGE: 'flux-metrics-sidecar',
    KUBECONFIG: await writeKubeconfig(bench, apiServer.port),
    LOG_LEVEL: 'warn',
  }
  const start = (file: string, env: Readonly<Record<string, string>>) =>
    startServer(file, { flags: NODE_FLAGS, env })
  const servers = [
    apiServer,
    await start(await bundle('webhook', bench.folder), common),
    await start(bench.baselines['webhook-over-memory'], {
      ...common,
      OBJECTS_FILE: await write(bench, 'objects.json', JSON.stringify(objects)),
    }),
    await start(bench.baselines['bare-echo'], bench.tls),
  ] as const
  const [, webhook, overMemory, echo] = servers
  try {
    const review = await readReview()
    const body = await write(bench, 'review.json', JSON.stringify(review))
    const rate = { rate: REVIEWS_PER_SECOND, connections: CONNECTIONS, seconds: SECONDS }
    say('reviews …')
    const steady = await compare(overMemory, echo, { ...rate, body })
    const whole = await compare(webhook, echo, { ...rate, body })
    say('large reviews …')
    const large = await write(bench, 'large.json', JSON.stringify(enlarge(review)))
    const huge = await compare(overMemory, echo, {
      connections: 1,
      requests: LARGE_REVIEWS,
      body: large,
    })
    say('memory …')
    const many = { connections: CONNECTIONS, requests: MEMORY_REVIEWS, body }
    const { perSecond } = await load({ path: '/mutate', port: webhook.port, ...many })
    return [
      {
        name: `p99 of reviews at ${REVIEWS_PER_SECOND}/s, against a bare echo`,
        value: steady.p99,
        unit: '×',
        target: { at: 'most', value: 3 },
        detail: steady.detail('p99'),
      },
      {
        name: 'the same, with look-ups over HTTPS from another process',
        value: whole.p99,
        unit: '×',
        target: undefined,
        detail: `${whole.detail('p99')}; median ${whole.detail('p50')}`,
      },
      {
        name: 'review of a 3 MiB pod, against JSON.parse and stringify',
        value: huge.p50,
        unit: '×',
        target: { at: 'most', value: 3 },
        detail: huge.detail('p50'),
      },
      {
        name: `RSS of the webhook after ${MEMORY_REVIEWS} reviews`,
        value: residentMiB(webhook.child.pid ?? 0),
        unit: 'MiB',
        target: { at: 'most', value: 128 },
        detail: `${Math.round(perSecond)} reviews/s at most`,
      },
    ]
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** Loads both in turn, and answers the medians of the ratios of their latencies. */
async function compare(
  ours: ServerProcess,
  echo: ServerProcess,
  options: Readonly<Record<string, string | number>>,
) {
  const ratios = { p50: [] as number[], p99: [] as number[] }
  const seen = { p50: [[], []] as number[][], p99: [[], []] as number[][] }
  for (let round = 0; round <= ROUNDS; round += 1) {
    const common = { path: '/mutate', ...options }
    const inOrder = round % 2 === 0
    const first = await load({ ...common, port: (inOrder ? ours : echo).port })
    const second = await load({ ...common, port: (inOrder ? echo : ours).port })
    // The first round warms up.
    if (round === 0) continue
    const [ofOurs, ofEcho] = inOrder ? [first, second] : [second, first]
    for (const at of ['p50', 'p99'] as const) {
      ratios[at].push(ofOurs[at] / ofEcho[at])
      seen[at][0]?.push(ofOurs[at])
      seen[at][1]?.push(ofEcho[at])
    }
  }
  return {
    p50: median(ratios.p50),
    p99: median(ratios.p99),
    detail: (at: 'p50' | 'p99') => {
      const [a = [], b = []] = seen[at]
      return `${median(a).toFixed(1)} ms against ${median(b).toFixed(1)} ms`
    },
  }
}

/** The real review, of a MiniCluster whose certificate is provided: only then is no authority needed. */
async function readReview(): Promise<Fields> {
  const text = await readFile(join(CASE, 'review.json'), 'utf8')
  return JSON.parse(text)
}

/** As a pod would be that carries a large program in an environment variable. */
function enlarge(review: Fields): Fields {
  const copy = JSON.parse(JSON.stringify(review))
  const entry = { name: 'PROGRAM', value: 'x"y\\z '.repeat(100) }
  const count = Math.ceil(LARGE_BYTES / JSON.stringify(entry).length)
  copy.request.object.spec.containers[0].env.push(...Array.from({ length: count }, () => entry))
  return copy
}

async function write(bench: Bench, name: string, text: string): Promise<string> {
  const path = join(bench.folder, name)
  await writeFile(path, text)
  return path
}

async function writeKubeconfig(bench: Bench, port: number): Promise<string> {
  return write(
    bench,
    'kubeconfig',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'fake',
          cluster: {
            server: `https://localhost:${port}`,
            'certificate-authority': bench.servingCa,
          },
        },
      ],
      users: [{ name: 'webhook', user: { token: 'any' } }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'webhook' } }],
      'current-context': 'fake',
    }),
  )
}

type Objects = Readonly<Record<'Job' | 'MiniCluster' | 'ConfigMap', Fields>>

/** What look-ups find: the Job, its MiniCluster with a certificate of its own, and the front proxy's authority. */
async function readObjects(bench: Bench): Promise<Objects> {
  const objects: Fields[] = JSON.parse(await readFile(join(CASE, 'objects.json'), 'utf8'))
  const ofKind = (kind: string) => objects.find((object) => object.kind === kind) ?? {}
  const minicluster = JSON.parse(JSON.stringify(ofKind('MiniCluster')))
  minicluster.metadata.annotations['flux-metrics/tls-secret'] = 'provided'
  return {
    Job: ofKind('Job'),
    MiniCluster: minicluster,
    ConfigMap: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
      data: {
        'requestheader-client-ca-file': await readFile(bench.clientCa, 'utf8'),
        'requestheader-allowed-names': '["front-proxy-client"]',
      },
    },
  }
}

/** What the fake API server answers, by path. */
async function writeAnswers(bench: Bench, objects: Objects): Promise<string> {
  const sample = 'namespaces/default'
  const answers = {
    '/version': { major: '1', minor: '36', gitVersion: 'v1.36.0' },
    '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication':
      objects.ConfigMap,
    [`/apis/batch/v1/${sample}/jobs/flux-sample`]: objects.Job,
    [`/apis/flux-framework.org/v1alpha2/${sample}/miniclusters/flux-sample`]: objects.MiniCluster,
  }
  return write(bench, 'answers.json', JSON.stringify(answers))
}
