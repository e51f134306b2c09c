// The open connections of an HTTPS server and their unanswered requests: counts them, and closes connections. Accepts no
// connection and answers no request.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The requests of one connection. A client may send a request before the earlier ones are answered. */
interface Requests {
  /** The response to the last request, until it is closed. */
  response: ServerResponse | undefined
  unanswered: number
}

export class Connections {
  #unanswered = 0
  /**
   * By TLS connection. An entry stays until its connection is closed: a set that gains and loses an entry with each
   * response grows new tables all the time, and their garbage doubled the p99.
   */
  readonly #requests = new Map<Socket, Requests>()
  /** Every TCP connection by its peer, also those in their TLS handshake. */
  readonly #sockets = new Map<string, Socket>()

  /** How many requests have no complete answer yet. */
  get unanswered(): number {
    return this.#unanswered
  }

  /** @param socket a TCP connection that was just accepted */
  remember(socket: Socket): void {
    const peer = peerOf(socket)
    this.#sockets.set(peer, socket)
    socket.once('close', () => {
      // A newer connection may already use the same port.
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer)
    })
  }

  /**
   * Counts a request until its response or its connection is closed.
   *
   * @param socket its TLS connection
   */
  count(socket: Socket, response: ServerResponse): void {
    const requests = this.#requests.get(socket) ?? this.#add(socket)
    this.#unanswered += 1
    requests.unanswered += 1
    requests.response = response
    response.once('close', () => {
      if (requests.response === response) requests.response = undefined
      // If the connection was closed first, its requests are no longer counted.
      if (requests.unanswered === 0) return
      this.#unanswered -= 1
      requests.unanswered -= 1
    })
  }

  /** Closes each busy connection after its answer. */
  endAfterAnswers(): void {
    for (const { response } of this.#requests.values()) {
      if (response !== undefined) response.shouldKeepAlive = false
    }
  }

  /**
   * Closes all connections, the busy ones after their answers. Node's own closeIdleConnections closes only connections
   * that have answered a request: new ones, verified by an old CA, would stay.
   */
  forgetClients(): void {
    const busy = new Set<string>()
    for (const [socket, { response }] of this.#requests) {
      if (response === undefined) continue
      busy.add(peerOf(socket))
      response.shouldKeepAlive = false
      // If the header is already sent, it still promises keep-alive: the connection is closed all the same.
      response.once('close', () => socket.destroySoon())
    }
    for (const [peer, socket] of this.#sockets) if (!busy.has(peer)) socket.destroy()
  }

  /** Closes all connections at once. Node's own closeAllConnections leaves those that are in their TLS handshake. */
  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }

  #add(socket: Socket): Requests {
    const requests: Requests = { response: undefined, unanswered: 0 }
    this.#requests.set(socket, requests)
    socket.once('close', () => {
      this.#requests.delete(socket)
      // Node never closes a response that waits behind another one on a connection that asks for an upgrade.
      this.#unanswered -= requests.unanswered
      requests.unanswered = 0
    })
    return requests
  }
}

/** Identifies a connection by its addresses: a TLS socket has no public reference to the TCP socket under it. */
function peerOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
