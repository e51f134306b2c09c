// One connection to a broker's UNIX socket (RFC 12 access, RFC 3 frames): it sends and receives messages, and ends once.
// Matchtags are in pending-calls.ts.
import { createConnection, type Socket } from 'node:net'
import { errnoName, FluxError } from '../errors.ts'
import { encodeFrame, FrameDecoder } from './frame.ts'
import { decodeMessage, encodeMessage, type Message, shortenMessage } from './message.ts'

const URI_SCHEME = 'local://'

const BROKER_CLOSED = 'the broker closed it'

/** Linux limits `sun_path` to 107 bytes and a NUL. */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * The path of the socket that a `FLUX_URI` names.
 *
 * @throws RangeError if the URI is not `local://` and an absolute path of at most 107 bytes.
 */
export function socketPath(uri: string): string {
  const path = uri.startsWith(URI_SCHEME) ? uri.slice(URI_SCHEME.length) : ''
  if (!path.startsWith('/') || path.includes('\0')) {
    throw new RangeError(`Cannot use Flux URI "${uri}": expected "local://" and an absolute path`)
  }
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new RangeError(
      `Cannot use Flux URI "${uri}": expected a path of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
    )
  }
  return path
}

/**
 * Larger messages are not kept: R of 100,000 nodes that all differ has 8 MB, and the container's limit is 128 MiB. Only notes
 * that users write on jobs can be larger.
 */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/** The callbacks of a connection. `onEnd` is called exactly once, and `onMessage` never after it. */
export interface ConnectionHandlers {
  onMessage(message: Message): void
  onEnd(reason: FluxError): void
}

/** A connection that the broker has accepted. */
export class Connection {
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder({ maxBytes: MAX_MESSAGE_BYTES, shorten: shortenMessage })
  #handlers: ConnectionHandlers | undefined

  /** @param socket is connected and past the handshake, and has no `data` listener yet */
  constructor(socket: Socket, handlers: ConnectionHandlers) {
    this.#socket = socket
    this.#handlers = handlers
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (cause: NodeJS.ErrnoException) => this.#end(this.#failure(cause)))
    socket.on('close', () => this.#end(this.#endOfStream()))
  }

  /** Sends one message. After the end of the connection this does nothing: `onEnd` has reported the end. */
  send(message: Message): void {
    if (this.#handlers !== undefined) this.#socket.write(encodeFrame(encodeMessage(message)))
  }

  /**
   * Ends the connection at once. There is no half-close: a broker treats a half-close as a disconnect and drops the
   * pending answers.
   */
  close(
    reason: FluxError = new FluxError('FLUX_CANCELLED', 'The client closed the connection'),
  ): void {
    this.#end(reason)
  }

  #receive(chunk: Buffer): void {
    try {
      for (const body of this.#decoder.push(chunk)) {
        this.#handlers?.onMessage(decodeMessage(body))
      }
    } catch (cause) {
      this.#end(
        cause instanceof FluxError
          ? cause
          : new FluxError('FLUX_PROTOCOL', 'Cannot handle a message from the broker', { cause }),
      )
    }
  }

  /** A broker that exits before it has read all requests resets the connection. */
  #failure(cause: NodeJS.ErrnoException): FluxError {
    const closed = cause.code === 'ECONNRESET' || cause.code === 'EPIPE'
    return disconnected(closed ? BROKER_CLOSED : `the socket failed: ${cause.message}`, cause)
  }

  #endOfStream(): FluxError {
    const pending = this.#decoder.pendingBytes
    if (pending === 0) return disconnected(BROKER_CLOSED)
    return disconnected(`the broker closed it after ${pending} bytes of an incomplete frame`)
  }

  #end(reason: FluxError): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    this.#socket.destroy()
    handlers?.onEnd(reason)
  }
}

/**
 * Connects to a broker and waits until it accepts the connection.
 *
 * @param path of the socket
 * @throws FluxError `FLUX_CONNECT` if there is no broker, or if it refuses the connection. For a refusal `errnum` is the
 * reason: 1 (EPERM) means that the broker does not accept our UID. `FLUX_TIMEOUT`, or `FLUX_CANCELLED` by `signal`.
 */
export async function connect(
  path: string,
  options: {
    readonly handlers: ConnectionHandlers
    readonly timeoutMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>()
  if (options.signal?.aborted) throw cancelled(path, options.signal)
  const socket = createConnection(path)
  const timer = setTimeout(() => reject(timedOut(path, options.timeoutMs)), options.timeoutMs)
  const abort = () => reject(cancelled(path, options.signal))
  options.signal?.addEventListener('abort', abort, { once: true })
  const fail = (cause: NodeJS.ErrnoException) => reject(refusedBySystem(path, cause))
  const hangUp = () =>
    reject(unconnected(path, 'the broker closed the connection before it accepted the client'))
  const shakeHands = () => {
    const bytes: Buffer | null = socket.read()
    if (bytes === null) return
    const [verdict = 0] = bytes
    if (verdict !== 0) {
      reject(refusedByBroker(path, verdict))
      return
    }
    socket.removeListener('readable', shakeHands)
    socket.removeListener('error', fail)
    socket.removeListener('close', hangUp)
    if (bytes.length > 1) socket.unshift(bytes.subarray(1))
    resolve(new Connection(socket, options.handlers))
  }
  socket.on('readable', shakeHands)
  socket.on('error', fail)
  socket.on('close', hangUp)
  try {
    return await promise
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', abort)
  }
}

function disconnected(why: string, cause?: unknown): FluxError {
  return new FluxError('FLUX_DISCONNECTED', `Lost the connection to the broker: ${why}`, { cause })
}

function unconnected(path: string, why: string, cause?: unknown): FluxError {
  return new FluxError('FLUX_CONNECT', `Cannot connect to "${path}": ${why}`, { cause })
}

function cancelled(path: string, signal: AbortSignal | undefined): FluxError {
  return new FluxError('FLUX_CANCELLED', `Cancelled connecting to "${path}"`, {
    cause: signal?.reason,
  })
}

function timedOut(path: string, timeoutMs: number): FluxError {
  return new FluxError('FLUX_TIMEOUT', `Cannot connect to "${path}": no answer in ${timeoutMs} ms`)
}

const SYSTEM_REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no socket yet'],
  [
    'ECONNREFUSED',
    'no broker listens on the socket: a stopped broker left it behind, or the file is not a socket',
  ],
  ['EAGAIN', 'the broker is busy'],
  ['EACCES', `UID ${process.getuid?.()} has no access to the folder of the socket`],
])

function refusedBySystem(path: string, cause: NodeJS.ErrnoException): FluxError {
  return unconnected(path, SYSTEM_REASONS.get(cause.code ?? '') ?? cause.message, cause)
}

function refusedByBroker(path: string, errnum: number): FluxError {
  const message =
    `Cannot connect to "${path}": the broker refuses UID ${process.getuid?.()} (${errnoName(errnum)}); ` +
    'set allow-guest-user = true in the [access] table of its configuration, or run the sidecar with the UID ' +
    'of the broker (annotation flux-metrics/run-as-user)'
  return new FluxError('FLUX_CONNECT', message, { errnum })
}
