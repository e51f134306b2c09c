// The overlay network between pods: every other rank has a TCP connection to the lead. A rank is up while its connection is
// open. Messages are lines of text: `rank 3` to the lead, `beat` in both directions, `shutdown` from the lead.
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'

const BEAT_MS = 1000
/** A pod can disappear without a FIN. The limit is long enough for a machine that has little CPU. */
const SILENCE_MS = 6000
const RETRY_MS = { first: 200, last: 2000 } as const

interface OverlayHandlers {
  onUp(rank: number): void
  onDown(rank: number): void
}

/** The side of the lead. */
export class Lead {
  readonly #server: Server
  readonly #handlers: OverlayHandlers
  /** A rank has two connections for a moment, if its pod is replaced before the end of the old one was noticed. */
  readonly #followers = new Map<Socket, number>()
  /** All connections, also of those that have not said their rank yet. */
  readonly #sockets = new Set<Socket>()

  constructor(handlers: OverlayHandlers) {
    this.#handlers = handlers
    this.#server = createServer((socket) => this.#welcome(socket))
  }

  /** Resolves with the port. With `port` 0 it is any free port. */
  async listen(port: number): Promise<number> {
    this.#server.listen(port)
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Makes all followers exit. Resolves when all have disconnected. */
  async shutdown(): Promise<void> {
    this.#server.close()
    const closed = [...this.#followers.keys()].map((socket) => once(socket, 'close'))
    for (const socket of this.#sockets) {
      if (this.#followers.has(socket)) socket.end('shutdown\n')
      else socket.destroy()
    }
    await Promise.all(closed)
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket)
    const beat = setInterval(() => socket.writable && socket.write('beat\n'), BEAT_MS)
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(beat)
      this.#sockets.delete(socket)
      this.#part(socket)
    })
    onLine(socket, (line) => {
      const [word, rank] = line.split(' ')
      if (word === 'rank') this.#admit(socket, Number(rank))
    })
  }

  #admit(socket: Socket, rank: number): void {
    if (!Number.isSafeInteger(rank) || rank < 1 || this.#followers.has(socket)) return
    const isNew = ![...this.#followers.values()].includes(rank)
    this.#followers.set(socket, rank)
    if (isNew) this.#handlers.onUp(rank)
  }

  #part(socket: Socket): void {
    const rank = this.#followers.get(socket)
    this.#followers.delete(socket)
    if (rank !== undefined && ![...this.#followers.values()].includes(rank)) {
      this.#handlers.onDown(rank)
    }
  }
}

/** The side of the other ranks: stays connected until the lead sends `shutdown`. Until then it reconnects without limit. */
export async function follow(options: {
  readonly host: string
  readonly port: number
  readonly rank: number
  readonly log: (line: string) => void
}): Promise<void> {
  let retryMs: number = RETRY_MS.first
  let quiet = false
  for (;;) {
    const outcome = await followOnce(options)
    if (outcome === 'shutdown') return
    if (outcome === 'lost') retryMs = RETRY_MS.first
    // Logged once per search: a lead can be unreachable for minutes.
    if (!quiet || outcome === 'lost') options.log(`no connection to ${options.host}: trying again`)
    quiet = true
    await new Promise((resolve) => setTimeout(resolve, retryMs))
    retryMs = Math.min(RETRY_MS.last, 2 * retryMs)
  }
}

async function followOnce(options: {
  readonly host: string
  readonly port: number
  readonly rank: number
  readonly log: (line: string) => void
}): Promise<'shutdown' | 'lost' | 'unreachable'> {
  const { host, port, rank, log } = options
  const { promise, resolve } = Promise.withResolvers<'shutdown' | 'lost' | 'unreachable'>()
  let connected = false
  const socket = createConnection({ host, port })
  const beat = setInterval(() => connected && socket.writable && socket.write('beat\n'), BEAT_MS)
  socket.setTimeout(SILENCE_MS, () => socket.destroy())
  socket.on('connect', () => {
    connected = true
    log(`connected to ${host} as rank ${rank}`)
    socket.write(`rank ${rank}\n`)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(beat)
    resolve(connected ? 'lost' : 'unreachable')
  })
  onLine(socket, (line) => {
    if (line === 'shutdown') resolve('shutdown')
  })
  const outcome = await promise
  socket.destroy()
  return outcome
}

function onLine(socket: Socket, handle: (line: string) => void): void {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${text}${chunk}`.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) handle(line)
  })
}
