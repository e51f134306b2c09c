// The recorded conversations of real brokers. Each direction has a decoded twin: the output of an independent decoder.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'

const RECORDINGS = join(import.meta.dirname, '../recordings/flux')
const TWINS = join(import.meta.dirname, '../recordings/flux-decoded')

export type Direction = 'c2s' | 's2c'

/** One entry of the twin: a message, or malformed bytes. Integers beyond 2^53 are `bigint`. */
export interface TwinEntry {
  readonly dir: Direction
  /** End of the connection: no bytes. */
  readonly event?: string
  readonly handshake?: number
  /** Offset of the frame in the bytes of its direction, handshake byte included. */
  readonly offset?: number
  readonly frameMagicByteOrder?: 'LE' | 'BE'
  readonly bodyLength?: number
  readonly undecodable?: string
  readonly incompleteTrailingBytes?: number
  readonly hex?: string
  readonly type?: string
  readonly flags?: number
  readonly userid?: number
  readonly rolemask?: number
  readonly routes?: readonly string[]
  readonly topic?: string
  readonly nodeid?: number
  readonly errnum?: number
  readonly matchtag?: number
  readonly sequence?: number
  readonly controlType?: number
  readonly controlStatus?: number
  readonly payloadLength?: number
  readonly payloadNulTerminated?: boolean
  /** The payload, if it is JSON. */
  readonly payload?: unknown
  /** The payload, if it is not JSON. */
  readonly payloadText?: string
  readonly protoHex?: string
}

/** The bytes of one direction, without the handshake byte. */
export interface RecordedStream {
  /** E.g. `0.88.0/job-stats s2c`. */
  readonly name: string
  /** As they were captured. */
  readonly chunks: readonly Buffer[]
  readonly bytes: Buffer
  readonly handshakeBytes: number
  readonly twin: readonly TwinEntry[]
}

/** Releases with recordings. */
export const RECORDED_VERSIONS: readonly string[] = readdirSync(RECORDINGS)

/** The recorded cases of a release. */
export function recordedCases(version: string): string[] {
  return readdirSync(join(RECORDINGS, version)).map((file) => file.replace(/\.json$/, ''))
}

/** Both directions of one recording, e.g. `0.88.0` and `job-stats`. */
export function loadRecording(version: string, name: string): Record<Direction, RecordedStream> {
  const recording: { readonly messages: readonly { dir: Direction; hex?: string }[] } = JSON.parse(
    readFileSync(join(RECORDINGS, version, `${name}.json`), 'utf8'),
  )
  const twin: { readonly messages: readonly TwinEntry[] } = JSON.parse(
    readFileSync(join(TWINS, version, `${name}.json`), 'utf8'),
    exactIntegers,
  )
  const stream = (dir: Direction): RecordedStream => {
    const all = Buffer.concat(
      recording.messages.map(({ dir: of, hex = '' }) => Buffer.from(of === dir ? hex : '', 'hex')),
    )
    const handshakeBytes = dir === 's2c' ? 1 : 0
    let skip = handshakeBytes
    const chunks: Buffer[] = []
    for (const { dir: of, hex = '' } of recording.messages) {
      const chunk = Buffer.from(of === dir ? hex : '', 'hex').subarray(skip)
      if (of === dir && hex !== '') skip = 0
      if (chunk.length > 0) chunks.push(chunk)
    }
    return {
      name: `${version}/${name} ${dir}`,
      chunks,
      bytes: all.subarray(handshakeBytes),
      handshakeBytes,
      twin: twin.messages.filter(
        (entry) => entry.dir === dir && entry.event === undefined && entry.handshake === undefined,
      ),
    }
  }
  return { c2s: stream('c2s'), s2c: stream('s2c') }
}

/** The payload of the first answer to a topic in a recording, e.g. `0.88.0` and `job-stats`. */
export function recordedAnswer(version: string, name: string, topic: string): JsonObject {
  const { s2c } = loadRecording(version, name)
  const answer = s2c.twin.find((entry) => entry.type === 'response' && entry.topic === topic)
  if (isJsonObject(answer?.payload)) return answer.payload
  throw new Error(`Cannot find an answer to "${topic}" in ${version}/${name}`)
}

/** Both directions of every recording of a release. */
export function recordedStreams(version: string): RecordedStream[] {
  return recordedCases(version).flatMap((name) => Object.values(loadRecording(version, name)))
}

/** A reviver for `JSON.parse`: each integer beyond ±(2^53 − 1) becomes a `bigint`. */
export function exactIntegers(_key: string, value: unknown, context?: { source?: string }) {
  const source = context?.source ?? ''
  if (!/^-?\d{16,}$/.test(source)) return value
  const exact = BigInt(source)
  return exact > 2n ** 53n - 1n || exact < 1n - 2n ** 53n ? exact : value
}
