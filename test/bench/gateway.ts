// Figures of the gateway, on its bundle with the flags of its Deployment: what it adds to a sidecar's answer, and what 1,000
// MiniClusters with an HPA each cost it, when all is well, when sidecars hang, and when the cluster has other pods.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, say } from './bench.ts'
import type { Comparison } from './comparison.ts'
import { type Figure, median } from './figures.ts'
import { type Asked, runHpas } from './gateway/hpas.ts'
import { otherPod } from './gateway/members.ts'
import { startWorld, type World } from './gateway/world.ts'
import { compareRequests, freshAnswer } from './metric-requests.ts'
import { cpuMs, describeAnonymous, peakMiB, residentMiB } from './processes.ts'

const OTHER_PODS = 10_000

/** Prometheus asks so often. */
const SCRAPE_MS = 15_000

interface Measured extends Asked {
  /** Of one core. */
  readonly cpuPercent: number
}

/** All figures of the gateway. */
export async function* gatewayFigures(bench: Bench): AsyncGenerator<Figure> {
  const { miniclusters } = bench.effort.fleet
  say(`gateway: ${miniclusters} MiniClusters …`)
  const world = await startWorld(bench, miniclusters)
  try {
    yield* addedFigures(bench, world)
    yield* fleetFigures(bench, world)
  } finally {
    await world.stop()
  }
}

/** The same requests to a sidecar, through the gateway and directly. */
async function* addedFigures(bench: Bench, { gateway, sidecar }: World): AsyncGenerator<Figure> {
  await freshAnswer(gateway.port, bench)
  for (const connections of [1, 16]) {
    say(`gateway: ${connections} connections …`)
    const comparison = await compareRequests(gateway, sidecar, { connections, bench })
    yield {
      name: `p99 added to a sidecar's, connections: ${connections}`,
      value: comparison.difference('p99'),
      unit: 'ms',
      target: { at: 'most', value: 1.5 },
      detail: describeAdded(comparison),
    }
  }
}

function describeAdded(comparison: Comparison): string {
  const [through, direct] = comparison.medians('p99')
  const [more, less] = comparison.medians('perSecond').map(Math.round)
  return `${through.toFixed(1)} ms against ${direct.toFixed(1)} ms; ${more} against ${less} requests/s`
}

async function* fleetFigures(bench: Bench, world: World): AsyncGenerator<Figure> {
  const { miniclusters, rounds } = bench.effort.fleet
  const pid = world.gateway.child.pid ?? 0
  yield await otherPodsFigure(bench, world)
  const scrapes: Promise<boolean>[] = []
  const scrape = async () => {
    // A machine that others use, too, may be late for one: that ends no measurement.
    const answer = await world.health('/metrics').catch(() => undefined)
    return answer?.status === 200
  }
  const timer = setInterval(() => scrapes.push(scrape()), SCRAPE_MS)
  const [well, one, half]: [Measured[], Measured[], Measured[]] = [[], [], []]
  let resident = 0
  for (let round = 1; round <= rounds; round += 1) {
    well.push(await measure(bench, world, 0))
    resident = residentMiB(pid)
    if (round === rounds) yield* wellFigures(well, miniclusters)
    one.push(await measure(bench, world, 1))
    if (round === rounds) {
      yield {
        name: 'p99 of the others while one hangs, against none',
        value: p99Of(one) / p99Of(well),
        unit: '×',
        target: { at: 'most', value: 1.2 },
        detail: describe(one),
      }
    }
    half.push(await measure(bench, world, miniclusters / 2))
  }
  clearInterval(timer)
  const answered = (await Promise.all(scrapes)).filter(Boolean).length
  yield {
    name: `p99 of the others while ${miniclusters / 2} hang`,
    value: p99Of(half),
    unit: 'ms',
    target: { at: 'most', value: 25 },
    detail: `${describe(half)}, CPU ${cpuOf(half).toFixed(1)} %`,
  }
  const failures = [...well, ...one, ...half].flatMap((measured) => measured.failures)
  yield {
    name: 'questions of HPAs without a metric as answer',
    value: failures.length,
    unit: 'calls',
    target: { at: 'most', value: 0 },
    detail: failures[0] ?? '',
  }
  yield {
    name: 'largest RSS of all, with scrapes',
    value: peakMiB(pid),
    unit: 'MiB',
    target: { at: 'most', value: 192 },
    detail: [
      `${Math.round(resident)} MiB while all sidecars answered`,
      `${describeAnonymous(pid)} at the end`,
      `${answered} of ${scrapes.length} scrapes were answered`,
    ].join('; '),
  }
}

/** While all sidecars answer. */
function wellFigures(well: readonly Measured[], miniclusters: number): readonly Figure[] {
  return [
    {
      name: `CPU, ${miniclusters} MiniClusters with an HPA each`,
      value: cpuOf(well),
      unit: '%',
      target: { at: 'most', value: 25 },
      detail: 'with scrapes',
    },
    {
      name: 'p99 of their HPAs',
      value: p99Of(well),
      unit: 'ms',
      target: { at: 'most', value: 25 },
      detail: describe(well),
    },
  ]
}

/** Runs the HPAs once. Those of sidecars that hang ask too, and do not count. */
async function measure(
  bench: Bench,
  { gateway, fleet, paths }: World,
  hanging: number,
): Promise<Measured> {
  say(`gateway: HPAs, ${hanging} sidecars hang …`)
  fleet.hang(hanging)
  const { periodMs, measureMs } = bench.effort.fleet
  const settleMs = periodMs
  const running = runHpas(bench.folder, {
    ...{ port: gateway.port, paths, counted: { from: hanging } },
    ...{ ...bench.pair, periodMs, settleMs, measureMs },
  })
  await sleep(settleMs)
  const pid = gateway.child.pid ?? 0
  const cpuPercent = await cpuWhile(pid, async () => void (await running))
  return { ...(await running), cpuPercent }
}

/** The gateway is asked for nothing meanwhile: its own CPU would hide what a pod costs. */
async function otherPodsFigure({ effort }: Bench, { apiServer, gateway }: World): Promise<Figure> {
  const { idleMs } = effort.fleet
  say(`gateway: ${OTHER_PODS} other pods …`)
  const pid = gateway.child.pid ?? 0
  const without = await cpuWhile(pid, () => sleep(idleMs))
  const pods = Array.from({ length: OTHER_PODS }, (_, index) => otherPod(index))
  const turns = 100
  const withPods = await cpuWhile(pid, async () => {
    for (let turn = 0; turn < turns; turn += 1) {
      const some = pods.slice((turn * OTHER_PODS) / turns, ((turn + 1) * OTHER_PODS) / turns)
      for (const pod of some) apiServer.put(pod)
      await sleep(idleMs / turns)
      for (const pod of some) apiServer.remove(pod)
    }
  })
  return {
    name: `more CPU while ${OTHER_PODS} other pods come and go`,
    value: withPods - without,
    unit: '%',
    target: { at: 'most', value: 0.5 },
    detail: `${withPods.toFixed(2)} % against ${without.toFixed(2)} %`,
  }
}

/** @returns per cent of one core */
async function cpuWhile(pid: number, work: () => Promise<void>): Promise<number> {
  const [cpu, at] = [cpuMs(pid), performance.now()]
  await work()
  return (100 * (cpuMs(pid) - cpu)) / (performance.now() - at)
}

function cpuOf(measured: readonly Measured[]): number {
  return median(measured.map(({ cpuPercent }) => cpuPercent))
}

function p99Of(measured: readonly Measured[]): number {
  return median(measured.map(({ p99 }) => p99))
}

function describe(measured: readonly Measured[]): string {
  const requests = measured.reduce((sum, one) => sum + one.requests, 0)
  const p50 = median(measured.map((one) => one.p50))
  const p99 = median(measured.map((one) => one.p99))
  return `p99 ${p99.toFixed(1)} ms, median ${p50.toFixed(1)} ms of ${requests} requests`
}
