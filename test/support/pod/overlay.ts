// The overlay network between pods: every rank but the lead holds a TCP connection to the lead and says its rank. A
// connection is a rank that is up, its end a rank that is gone. Lines of text: `rank 3` up, `beat` both ways,
// `shutdown` down.
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'

const BEAT_MS = 1000
/** A pod can vanish without a FIN. Long enough for a machine that is short of CPU. */
const SILENCE_MS = 6000
const RETRY_MS = { first: 200, last: 2000 } as const

interface OverlayHandlers {
  onUp(rank: number): void
  onDown(rank: number): void
}

/** The lead's end. */
export class Lead {
  readonly #server: Server
  readonly #handlers: OverlayHandlers
  /** Two of one rank for a moment, when a pod is replaced before its end was noticed. */
  readonly #followers = new Map<Socket, number>()

  constructor(handlers: OverlayHandlers) {
    this.#handlers = handlers
    this.#server = createServer((socket) => this.#welcome(socket))
  }

  /** Resolves with the port, which is a free one for `port` 0. */
  async listen(port: number): Promise<number> {
    this.#server.listen(port)
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Has all followers exit, and resolves when they are gone. */
  async shutdown(): Promise<void> {
    this.#server.close()
    const gone = [...this.#followers.keys()].map((socket) => once(socket, 'close'))
    for (const socket of this.#followers.keys()) socket.end('shutdown\n')
    await Promise.all(gone)
  }

  #welcome(socket: Socket): void {
    const beat = setInterval(() => socket.writable && socket.write('beat\n'), BEAT_MS)
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(beat)
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

/** The other end: holds a connection until the lead says `shutdown`, and looks for the lead for ever until then. */
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
    // once per search: a lead can be away for minutes
    if (!quiet || outcome === 'lost')
      options.log(`no connection to ${options.host}: looking for it`)
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
