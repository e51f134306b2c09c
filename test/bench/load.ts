// A load generator in a process of its own: N keep-alive TLS connections with one request at a time on each, either as fast
// as the server answers or at a rate. It prints one JSON line: requests, requests per second, latencies in milliseconds. It
// speaks only as much HTTP/1.1 as it needs, so that it costs little.
import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    path: { type: 'string' },
    connections: { type: 'string' },
    seconds: { type: 'string' },
    requests: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    // Posts this file instead of sending GET requests.
    body: { type: 'string' },
    // Requests per second, all connections together.
    rate: { type: 'string' },
  },
})

const body = values.body === undefined ? Buffer.alloc(0) : readFileSync(values.body)
const request = Buffer.concat([
  Buffer.from(
    [
      `${values.body === undefined ? 'GET' : 'POST'} ${values.path} HTTP/1.1`,
      'Host: localhost',
      'Accept: application/json',
      'X-Remote-User: bench',
      ...(body.length > 0
        ? ['Content-Type: application/json', `Content-Length: ${body.length}`]
        : []),
      '',
      '',
    ].join('\r\n'),
  ),
  body,
])
const HEADER_END = Buffer.from('\r\n\r\n')

/** Opens a connection and waits for the end of the TLS handshake. */
function open(): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = connect({
    port: Number(values.port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...(values.cert && values.key
      ? { cert: readFileSync(values.cert), key: readFileSync(values.key) }
      : {}),
  })
  socket.once('secureConnect', () => resolve(socket))
  socket.once('error', reject)
  return promise
}

/** Length of the whole answer; `undefined` until its header is complete. Throws if the status is not 200. */
function answerLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(HEADER_END)
  if (end < 0) return undefined
  const header = bytes.toString('latin1', 0, end)
  const length = /content-length: (\d+)/i.exec(header)?.[1]
  if (!header.startsWith('HTTP/1.1 200') || length === undefined) throw new Error(`Got: ${header}`)
  return end + HEADER_END.length + Number(length)
}

/** Sends requests one after the other while `more` returns true, and collects their latencies. */
function drive(socket: TLSSocket, latencies: number[], more: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let pending: Buffer = Buffer.alloc(0)
  let sentAt = 0
  let dueAt = performance.now() + Math.random() * periodMs
  const send = () => {
    if (!more()) {
      socket.destroy()
      resolve()
      return
    }
    // If a request has to wait for the one before, its latency counts from the time when it was due.
    sentAt = periodMs === 0 ? performance.now() : dueAt
    dueAt += periodMs
    socket.write(request)
  }
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('The server closed a connection')))
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const length = answerLength(pending)
    if (length === undefined || pending.length < length) return
    pending = pending.subarray(length)
    latencies.push(performance.now() - sentAt)
    setTimeoutOrNow(send, dueAt - performance.now())
  })
  setTimeoutOrNow(send, periodMs === 0 ? 0 : dueAt - performance.now())
  return promise
}

function setTimeoutOrNow(act: () => void, ms: number): void {
  if (ms > 0) setTimeout(act, ms)
  else act()
}

const periodMs =
  values.rate === undefined ? 0 : (1000 * Number(values.connections)) / Number(values.rate)
const connections = await Promise.all(Array.from({ length: Number(values.connections) }, open))
const latencies: number[] = []
const startedAt = performance.now()
const endsAt = startedAt + Number(values.seconds ?? Number.POSITIVE_INFINITY) * 1000
let left = Number(values.requests ?? Number.POSITIVE_INFINITY)
const more = () => {
  left -= 1
  return left >= 0 && performance.now() < endsAt
}
await Promise.all(connections.map((socket) => drive(socket, latencies, more)))
const seconds = (performance.now() - startedAt) / 1000
latencies.sort((a, b) => a - b)
const at = (share: number) =>
  latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]
process.stdout.write(
  `${JSON.stringify({ requests: latencies.length, perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99) })}\n`,
)
