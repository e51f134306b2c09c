// Figures of the webhook, on the bundle of its image: reviews of a real index-0 pod, of a huge one, and memory.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ATTACKS } from '../serving/https/attacks.ts'
import { bundle } from '../support/build.ts'
import { readImageSettings } from '../support/image-settings.ts'
import { type Bench, say } from './bench.ts'
import { type Comparison, compare } from './comparison.ts'
import type { Figure } from './figures.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import {
  describeAnonymous,
  load,
  residentMiB,
  type ServerProcess,
  startServer,
} from './processes.ts'

/** The review of an index-0 pod that a real API server sent, and the objects that its look-ups find. */
const CASE = join(import.meta.dirname, '../golden/create-job-index-0-enabled')

const REVIEWS_PER_SECOND = 200
const CONNECTIONS = 8
/** Addresses on this machine. */
const HOSTILE = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']
const HOSTILE_CLIENTS = ['idle connections', 'clients that send their bodies byte by byte']
const LARGE_BYTES = 3 * 2 ** 20

/** The flags and the environment of the image. All servers run with them, so that only the programs differ. */
const IMAGE = readImageSettings('webhook')

type Fields = Readonly<Record<string, unknown>>

/** All figures of the webhook. */
export async function* webhookFigures(bench: Bench): AsyncGenerator<Figure> {
  const { rounds, rateSeconds, requests, largeReviews } = bench.effort
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
    KUBECONFIG: await writeKubeconfig(bench, `https://localhost:${apiServer.port}`),
    LOG_LEVEL: 'warn',
    // Several webhooks run at once; only the port of reviews is asked.
    CERTIFICATES_PORT: '0',
    HEALTH_PORT: '0',
  }
  const start = (file: string, env: Readonly<Record<string, string>>) =>
    startServer(file, { flags: IMAGE.flags, env: { ...IMAGE.env, ...env } })
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
    const atRate = {
      path: '/mutate',
      rate: REVIEWS_PER_SECOND,
      connections: CONNECTIONS,
      seconds: rateSeconds,
      body,
    }
    say('reviews …')
    const inProcess = await compare(overMemory, echo, { load: atRate, rounds, warmUpRounds: 1 })
    yield {
      name: `p99 of reviews at ${REVIEWS_PER_SECOND}/s, against a bare echo`,
      value: inProcess.ratio('p99'),
      unit: '×',
      target: { at: 'most', value: 3 },
      detail: describeLatency(inProcess, 'p99'),
    }
    const withLookUps = await compare(webhook, echo, { load: atRate, rounds, warmUpRounds: 1 })
    yield {
      name: 'the same, with look-ups over HTTPS from another process',
      value: withLookUps.ratio('p99'),
      unit: '×',
      target: undefined,
      detail: `${describeLatency(withLookUps, 'p99')}; median ${describeLatency(withLookUps, 'p50')}`,
    }
    say('reviews among hostile clients …')
    const among = await amongHostile(webhook, atRate)
    yield {
      name: 'p99 of reviews with look-ups while hostile clients work',
      value: among.p99,
      unit: 'ms',
      target: { at: 'most', value: 3 },
      detail: `median ${among.p50.toFixed(1)} ms, RSS ${Math.round(among.residentMiB)} MiB`,
    }
    say('large reviews …')
    const large = await write(bench, 'large.json', JSON.stringify(enlarge(review)))
    const huge = await compare(overMemory, echo, {
      load: { path: '/mutate', connections: 1, requests: largeReviews, body: large },
      rounds,
      warmUpRounds: 1,
    })
    yield {
      name: 'review of a 3 MiB pod, against JSON.parse and stringify',
      value: huge.ratio('p50'),
      unit: '×',
      target: { at: 'most', value: 3 },
      detail: describeLatency(huge, 'p50'),
    }
    say('memory …')
    const many = { connections: CONNECTIONS, requests, body }
    const { perSecond } = await load({ path: '/mutate', port: webhook.port, ...many })
    const pid = webhook.child.pid ?? 0
    yield {
      name: `RSS of the webhook after ${requests} reviews`,
      value: residentMiB(pid),
      unit: 'MiB',
      target: { at: 'most', value: 96 },
      detail: `${describeAnonymous(pid)}; ${Math.round(perSecond)} reviews/s at most`,
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** Reviews while idle connections and slow bodies come from other addresses, more than the webhook takes. */
async function amongHostile(
  { port, child }: ServerProcess,
  atRate: Readonly<Record<string, string | number>>,
) {
  const target = { port, addresses: HOSTILE, connections: 60, path: '/mutate', largePath: '/livez' }
  const attacks = HOSTILE_CLIENTS.map((name) => ATTACKS[name]?.(target))
  const stops = await Promise.all(attacks)
  const { p50, p99 } = await load({ ...atRate, port })
  const mib = residentMiB(child.pid ?? 0)
  for (const stop of stops) stop?.()
  return { p50, p99, residentMiB: mib }
}

function describeLatency(comparison: Comparison, percentile: 'p50' | 'p99'): string {
  const [ours, echo] = comparison.medians(percentile)
  return `${ours.toFixed(1)} ms against ${echo.toFixed(1)} ms`
}

/** The real review. Its MiniCluster has a provided certificate: only then is no authority needed. */
async function readReview(): Promise<Fields> {
  const text = await readFile(join(CASE, 'review.json'), 'utf8')
  return JSON.parse(text)
}

/** The review of a pod that carries large programs in its environment variables. */
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

type Objects = Readonly<Record<'Job' | 'MiniCluster' | 'ConfigMap', Fields>>

/** The objects that look-ups find: the Job, its MiniCluster with a provided certificate, and the front proxy's CA. */
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

/** The answers of the fake API server, by path. */
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
