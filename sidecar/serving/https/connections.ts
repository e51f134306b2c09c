// The connections of an HTTPS server and the requests under way on them: counts them, and ends those that must end. Accepts
// none, and answers nothing.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What a connection is busy with. A client may send requests before the answers to those before. */
interface Use {
  /** The last one, until it is closed. */
  response: ServerResponse | undefined
  unanswered: number
}

export class Connections {
  #unanswered = 0
  /**
   * By TLS connection. Entries stay as long as their connection: a set that responses enter and leave grows new tables all
   * the time, and its garbage doubled our p99.
   */
  readonly #uses = new Map<Socket, Use>()
  /** Every TCP connection by its peer, those still in their handshake included. */
  readonly #sockets = new Map<string, Socket>()

  /** Requests whose answers are not out yet. */
  get unanswered(): number {
    return this.#unanswered
  }

  /** @param socket a TCP connection, just accepted */
  remember(socket: Socket): void {
    const peer = peerOf(socket)
    this.#sockets.set(peer, socket)
    socket.once('close', () => {
      // The same port may already be a newer connection's.
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer)
    })
  }

  /**
   * Counts a request until its answer, or its connection, is closed.
   *
   * @param socket its TLS connection
   */
  count(socket: Socket, response: ServerResponse): void {
    const use = this.#uses.get(socket) ?? this.#open(socket)
    this.#unanswered += 1
    use.unanswered += 1
    use.response = response
    response.once('close', () => {
      if (use.response === response) use.response = undefined
      // Its connection may be gone, and this counted with it.
      if (use.unanswered === 0) return
      this.#unanswered -= 1
      use.unanswered -= 1
    })
  }

  /** Keeps no connection alive that is busy now. */
  endAfterAnswers(): void {
    for (const { response } of this.#uses.values()) {
      if (response !== undefined) response.shouldKeepAlive = false
    }
  }

  /**
   * Ends all connections, the busy ones after their answers. Node's own closeIdleConnections counts as idle only what has
   * answered before: it would leave new connections, verified by an old CA.
   */
  forgetClients(): void {
    const busy = new Set<string>()
    for (const [socket, { response }] of this.#uses) {
      if (response === undefined) continue
      busy.add(peerOf(socket))
      response.shouldKeepAlive = false
      // Too late for the header if it is out already; the connection ends all the same.
      response.once('close', () => socket.destroySoon())
    }
    for (const [peer, socket] of this.#sockets) if (!busy.has(peer)) socket.destroy()
  }

  /** Node's own closeAllConnections does not know connections that are still in their handshake. */
  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }

  #open(socket: Socket): Use {
    const use: Use = { response: undefined, unanswered: 0 }
    this.#uses.set(socket, use)
    socket.once('close', () => {
      this.#uses.delete(socket)
      // Node closes no answer that waits behind another on a connection that asks for an upgrade.
      this.#unanswered -= use.unanswered
      use.unanswered = 0
    })
    return use
  }
}

/** What the two ends of a connection have in common: a TLS socket has no public way to the TCP socket under it. */
function peerOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
