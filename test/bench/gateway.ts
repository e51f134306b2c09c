// Figures of the gateway, on its bundle with the flags of its Deployment: what it adds to a sidecar's answer, and what 1,000
// MiniClusters with an HPA each cost it, when all is well, when sidecars hang, and when the cluster has other pods.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, say } from './bench.ts'
import type { Comparison } from './comparison.ts'
import { type Figure, median } from './figures.ts'
import { type Asked, PERIOD_MS, runHpas } from './gateway/hpas.ts'
import { otherPod } from './gateway/members.ts'
import { startWorld, type World } from './gateway/world.ts'
import { compareRequests, freshAnswer } from './metric-requests.ts'
import { cpuMs, peakMiB, residentMiB } from './processes.ts'

const MINICLUSTERS = 1_000
const OTHER_PODS = 10_000

const LONG = { rounds: 3, measureMs: 30_000, idleMs: 20_000 }
const SHORT = { rounds: 1, measureMs: 15_000, idleMs: 10_000 }

type Length = typeof LONG

/** Prometheus asks so often. */
const SCRAPE_MS = 15_000

interface Measured extends Asked {
  /** Of one core. */
  readonly cpuPercent: number
}

/** All figures of the gateway. */
export async function gatewayFigures(
  bench: Bench,
  { short }: { readonly short: boolean },
): Promise<readonly Figure[]> {
  say(`gateway: ${MINICLUSTERS} MiniClusters …`)
  const world = await startWorld(bench, MINICLUSTERS)
  try {
    const added = await addedFigures(bench, world)
    return [...added, ...(await fleetFigures(bench, world, short ? SHORT : LONG))]
  } finally {
    await world.stop()
  }
}

/** The same requests to a sidecar, through the gateway and directly. */
async function addedFigures(bench: Bench, { gateway, sidecar }: World): Promise<readonly Figure[]> {
  await freshAnswer(gateway.port, bench)
  const figures: Figure[] = []
  for (const connections of [1, 16]) {
    say(`gateway: ${connections} connections …`)
    const comparison = await compareRequests(gateway, sidecar, { connections, bench })
    figures.push({
      name: `p99 added to a sidecar's, connections: ${connections}`,
      value: comparison.difference('p99'),
      unit: 'ms',
      target: { at: 'most', value: 1.5 },
      detail: describeAdded(comparison),
    })
  }
  return figures
}

function describeAdded(comparison: Comparison): string {
  const [through, direct] = comparison.medians('p99')
  const [more, less] = comparison.medians('perSecond').map(Math.round)
  return `${through.toFixed(1)} ms against ${direct.toFixed(1)} ms; ${more} against ${less} requests/s`
}

async function fleetFigures(
  bench: Bench,
  world: World,
  length: Length,
): Promise<readonly Figure[]> {
  const pid = world.gateway.child.pid ?? 0
  const pods = await otherPodsFigure(world, length)
  const scrapes: Promise<unknown>[] = []
  const timer = setInterval(() => scrapes.push(world.health('/metrics')), SCRAPE_MS)
  const well: Measured[] = []
  const one: Measured[] = []
  const half: Measured[] = []
  let resident = 0
  for (let round = 0; round < length.rounds; round += 1) {
    well.push(await measure(bench, world, { ...length, hanging: 0 }))
    resident = residentMiB(pid)
    one.push(await measure(bench, world, { ...length, hanging: 1 }))
    half.push(await measure(bench, world, { ...length, hanging: MINICLUSTERS / 2 }))
  }
  clearInterval(timer)
  await Promise.all(scrapes)
  const p99Of = (measured: readonly Measured[]) => median(measured.map(({ p99 }) => p99))
  const p99 = p99Of(well)
  const with1 = p99Of(one)
  const withHalf = p99Of(half)
  return [
    {
      name: `CPU, ${MINICLUSTERS} MiniClusters with an HPA each`,
      value: median(well.map(({ cpuPercent }) => cpuPercent)),
      unit: '%',
      target: { at: 'most', value: 25 },
      detail: `with ${MINICLUSTERS / 2} that hang ${percentOf(half)}, with scrapes`,
    },
    {
      name: 'p99 of their HPAs',
      value: p99,
      unit: 'ms',
      target: { at: 'most', value: 25 },
      detail: describe(well),
    },
    {
      name: 'largest RSS of all, with scrapes',
      value: peakMiB(pid),
      unit: 'MiB',
      target: { at: 'most', value: 192 },
      detail: `${Math.round(resident)} MiB while all answered`,
    },
    {
      name: 'p99 of the others while one hangs, against none',
      value: with1 / p99,
      unit: '×',
      target: { at: 'most', value: 1.2 },
      detail: describe(one),
    },
    {
      name: `p99 of the others while ${MINICLUSTERS / 2} hang`,
      value: withHalf,
      unit: 'ms',
      target: { at: 'most', value: 25 },
      detail: describe(half),
    },
    pods,
  ]
}

/** Runs the HPAs once. Those of sidecars that hang ask too, and do not count. */
async function measure(
  bench: Bench,
  { gateway, fleet, paths }: World,
  { measureMs, hanging }: { readonly measureMs: number; readonly hanging: number },
): Promise<Measured> {
  say(`gateway: HPAs, ${hanging} sidecars hang …`)
  fleet.hang(hanging)
  const settleMs = PERIOD_MS
  const running = runHpas(bench.folder, {
    ...{ port: gateway.port, paths, counted: { from: hanging } },
    ...{ ...bench.pair, periodMs: PERIOD_MS, settleMs, measureMs },
  })
  await sleep(settleMs)
  const pid = gateway.child.pid ?? 0
  const cpuPercent = await cpuWhile(pid, async () => void (await running))
  const asked = await running
  const { failures } = asked
  if (failures.length > 0) {
    throw new Error(`${failures.length} HPAs got no metric, one of them: ${failures[0]}`)
  }
  return { ...asked, cpuPercent }
}

/** The gateway is asked for nothing meanwhile: its own CPU would hide what a pod costs. */
async function otherPodsFigure({ apiServer, gateway }: World, { idleMs }: Length): Promise<Figure> {
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

function percentOf(measured: readonly Measured[]): string {
  return `${median(measured.map(({ cpuPercent }) => cpuPercent)).toFixed(1)} %`
}

function describe(measured: readonly Measured[]): string {
  const requests = measured.reduce((sum, one) => sum + one.requests, 0)
  const p50 = median(measured.map((one) => one.p50))
  const p99 = median(measured.map((one) => one.p99))
  return `p99 ${p99.toFixed(1)} ms, median ${p50.toFixed(1)} ms of ${requests} requests`
}
