// Measures the cost of decoding against the one cost that cannot be avoided: JSON.parse of the payload.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  countCores,
  countGpus,
  countNodes,
  parseResourceSet,
  subtractResourceSets,
} from '#flux/sets/resource-set.ts'
import { FrameDecoder } from '#flux/wire/frame.ts'
import { decodeMessage } from '#flux/wire/message.ts'
import { decodeJson, isJsonObject } from '#flux/wire/payload.ts'
import type { Bench } from './bench.ts'
import { type Figure, median } from './figures.ts'

const RECORDING = join(import.meta.dirname, '../recordings/flux/0.88.0/big-sched-status.json')
const RUNS = 400

/** The answer of a real broker, in bytes: 10,000 nodes, 6,000 jobs. */
function recordedAnswer(): Buffer {
  const { messages }: { messages: { dir: string; hex?: string }[] } = JSON.parse(
    readFileSync(RECORDING, 'utf8'),
  )
  const chunks = messages.flatMap(({ dir, hex }) =>
    dir === 's2c' && hex ? [Buffer.from(hex, 'hex')] : [],
  )
  // Without the byte of the handshake.
  return Buffer.concat(chunks).subarray(1)
}

function decode(bytes: Buffer): unknown {
  let decoded: unknown
  for (const body of new FrameDecoder().push(bytes)) {
    const { payload, topic } = decodeMessage(body)
    decoded = decodeJson(payload, topic)
  }
  return decoded
}

/** The JSON of the answer, without its NUL. */
function payloadOf(bytes: Buffer): Buffer {
  const [body] = new FrameDecoder().push(bytes)
  const payload = body === undefined ? undefined : decodeMessage(body).payload
  if (payload === undefined) throw new Error('The recording holds no payload')
  return payload.subarray(0, -1)
}

function time(run: () => unknown): number {
  const startedAt = performance.now()
  for (let count = 0; count < RUNS; count += 1) run()
  return (performance.now() - startedAt) / RUNS
}

/**
 * The time from the bytes to the counts, for the first answer in this process, when nothing is compiled yet. A reading of
 * 10,000 nodes never blocks the event loop for longer.
 */
export function blockFigure(): Figure {
  const bytes = recordedAnswer()
  const startedAt = performance.now()
  const answer = decode(bytes)
  if (!isJsonObject(answer)) throw new Error('The recording holds no object')
  const [all, allocated, down] = [answer.all, answer.allocated, answer.down].map(parseResourceSet)
  if (!all || !allocated || !down) throw new Error('The recording holds no resource sets')
  const up = subtractResourceSets(all, down)
  const free = subtractResourceSets(up, allocated)
  for (const set of [all, allocated, down, up, free]) {
    countNodes(set)
    countCores(set)
    countGpus(set)
  }
  return {
    name: 'first 10,000-node answer, from bytes to counts',
    value: performance.now() - startedAt,
    unit: 'ms',
    target: { at: 'most', value: 50 },
    detail: `${countNodes(free)} free nodes`,
  }
}

export function decodeFigure({ effort }: Bench): Figure {
  const bytes = recordedAnswer()
  const payload = payloadOf(bytes)
  const ratios: number[] = []
  let microseconds = 0
  for (let round = 0; round <= effort.runs; round += 1) {
    const ours = time(() => decode(bytes))
    const parse = time(() => JSON.parse(payload.toString('utf8')))
    // The first round warms up.
    if (round > 0) ratios.push(ours / parse)
    microseconds = ours * 1000
  }
  return {
    name: 'decode of a 10,000-node answer, against JSON.parse',
    value: median(ratios),
    unit: '×',
    target: { at: 'most', value: 1.3 },
    detail: `${Math.round(microseconds)} µs, ${bytes.length} bytes`,
  }
}
