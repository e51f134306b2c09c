// The program of the simulated broker's image: every rank of a MiniCluster is a real pod that runs it. Index 0 is the
// lead: it has the broker's socket, counts a rank as up while its pod is connected, and serves the control API. The other
// ranks only stay connected.
//
// Like a real broker below the Flux Operator's start script it ignores SIGTERM: a deleted pod stays up, and its rank
// schedulable, until SIGKILL at the end of the grace period. As process 1 of a container it ignores the signal because it has
// no handler. Below a shell that waits (`sh -c 'node … & wait $!'`) the shell does not pass the signal on.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Instance } from '#simulation/instance.ts'
import { type SimulatedBroker, startBroker } from './broker.ts'
import { createControl } from './pod/control.ts'
import { follow, Lead } from './pod/overlay.ts'
import { readSettings, type Settings } from './pod/settings.ts'

const OVERLAY_PORT = Number(process.env.OVERLAY_PORT ?? 8050)
const CONTROL_PORT = Number(process.env.CONTROL_PORT ?? 8051)
/** How often the clock of the instance is moved. Jobs end late by at most this time. */
const TICK_MS = 100
/** 128 + 9: the exit code that a shell reports after SIGKILL. */
const KILLED = 137

const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`)

async function lead(settings: Settings): Promise<void> {
  const { name, maxSize, coresPerNode, gpusPerNode, queues, socketPath } = settings
  const { version, scheduler, role, quorum } = settings
  const instance = new Instance({
    maxSize,
    coresPerNode,
    gpusPerNode,
    queues,
    hostPrefix: name,
    up: 1,
  })
  instance.on('nodes', ({ name: change, ranks }) => log(`${change}: rank ${ranks.join(', ')}`))
  instance.on('jobs', (transitions) => {
    for (const { job, state } of transitions) {
      if (state === 'RUN' || state === 'INACTIVE')
        log(`job ${job.id}: ${state} ${job.result ?? ''}`)
    }
  })
  const tick = setInterval(() => instance.tick(Date.now()), TICK_MS)
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o755 })
  const owner = process.getuid?.() ?? 0
  const broker = await startBroker({
    path: socketPath,
    instance,
    version,
    scheduler,
    role,
    owner,
    quorum,
  })
  const overlay = new Lead({
    onUp: (rank) => rank < maxSize && instance.up(rank),
    onDown: (rank) => rank < maxSize && instance.down(rank),
  })
  await overlay.listen(OVERLAY_PORT)
  const control = createControl({
    instance,
    log,
    kill: () => setImmediate(() => void die(broker)),
    shutdown: () =>
      setImmediate(async () => {
        clearInterval(tick)
        await shutDown(broker, overlay)
      }),
  })
  control.listen(CONTROL_PORT)
  log(`${name}: rank 0 of ${maxSize}, flux-core ${version}, socket ${socketPath}`)
}

/** Not by a signal: process 1 of a container cannot send itself one. */
async function die(broker: SimulatedBroker): Promise<void> {
  log('killed')
  await broker.kill()
  process.exit(KILLED)
}

async function shutDown(broker: SimulatedBroker, overlay: Lead): Promise<void> {
  log('shutdown')
  broker.instance.cancelAll()
  broker.setPhase('shutdown')
  await overlay.shutdown()
  await broker.close()
  process.exit(0)
}

const settings = readSettings(process.env)
if (settings.index === 0) {
  await lead(settings)
} else {
  const { leadHost: host, index: rank } = settings
  await follow({ host, port: OVERLAY_PORT, rank, log })
  log('shutdown')
}
