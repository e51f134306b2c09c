// A whole sidecar that reads without a pause, under a clock that moves on by 250 ms with each reading: the pace of a busy
// instance. Arguments: the broker's socket, what is counted, how many of them.
import { Client } from '#flux/wire/client.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { createLogger } from '#serving/log.ts'
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { measure } from './measure.ts'
import { report, SAMPLES } from './soaked.ts'

const READING_MS = 250
const PACE = { minIntervalMs: 0, costFactor: 0, streamingIntervalMs: 0, pollingIntervalMs: 0 }

const [path = '', unit = '', count = ''] = process.argv.slice(2)
const done = { readings: 0, connections: 0 }
let readingsOfConnection = 0
let client: Client | undefined
let skewMs = 0
let samples = 0

const realNow = performance.now.bind(performance)
performance.now = () => realNow() + skewMs
// A back-off of no time: what is soaked is the connecting.
Math.random = () => 0

const { connect } = Client
Client.connect = async (...args) => {
  client = await connect.apply(Client, args)
  done.connections += 1
  readingsOfConnection = 0
  return client
}

const { makeInTurns } = SnapshotMaker.prototype
SnapshotMaker.prototype.makeInTurns = async function (...args) {
  const made = await makeInTurns.apply(this, args)
  done.readings += 1
  readingsOfConnection += 1
  skewMs += READING_MS
  takeSample()
  return made
}

/** At this moment no call is in flight, only streams. They are opened after the first reading of a connection. */
function takeSample(): void {
  const work = unit === 'readings' ? done.readings : done.connections
  if (unit === 'readings' && readingsOfConnection < 2) return
  if (work < ((samples + 1) * Number(count)) / SAMPLES) return
  samples += 1
  report({ sample: measure(work, client?.matchtagsInUse ?? 0) })
  if (samples === SAMPLES) setImmediate(() => process.exit(0))
}

const read = readConfig({
  FLUX_URI: `local://${path}`,
  LISTEN_ADDRESS: '127.0.0.1',
  LISTEN_PORT: '0',
  DRAIN: 'true',
  IDLE_GRACE_SECONDS: '10',
})
if (read.kind === 'problems') throw new Error(read.problems.join())
const log = createLogger('silent')
const sidecar = await startSidecar(read.config, { log, version: '0.0.0', pace: PACE })
report({ port: sidecar.port })
