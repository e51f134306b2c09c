// The open connections of an HTTPS server and their unanswered requests: counts them, and closes connections. Clients whose
// certificate is known have limits of their own: no stranger takes their room. Answers no request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { stopParsing } from '../stop-parsing.ts'
import { Arrivals } from './arrivals.ts'
import { ClientGroup, type Connection } from './client-group.ts'
import type { ServerLimits } from './limits.ts'

/** `refuse`: there are too many requests. `ignore`: the connection is about to be closed. */
export type Admission = 'serve' | 'refuse' | 'ignore'

/** The first message of a handshake, with the keys that clients offer. What is longer has certificates. */
const HELLO_BYTES = 2_048

/**
 * What a stranger may send beside as much content: a handshake, and what is around each record. 64 KiB of new keys take 70 ms. Where
 * connections are kept, and have bodies, their content is without end.
 */
const WRAPPING_BYTES = 64 * 1024

/** Handshakes of the addresses of known clients that are under way, each with 90 KiB. */
const MAX_ARRIVING = 256

export class Connections {
  readonly #limits: ServerLimits
  readonly #strangers: ClientGroup
  /** Known clients are few, and trusted: any of their addresses may use all that they may use together. */
  readonly #known: ClientGroup
  /**
   * Those of the addresses of known clients, in their handshake. Whoever else is behind such an address takes the room of nobody
   * who is known.
   */
  readonly #arriving: ClientGroup
  readonly #arrivals: Arrivals
  /** Every TCP connection by its addresses, also those in their TLS handshake. */
  readonly #connections = new Map<string, Connection>()
  /**
   * By TLS connection. An entry stays until its connection is closed: a set that gains and loses an entry with each
   * response grows new tables all the time, and their garbage doubled the p99.
   */
  readonly #secured = new Map<Socket, Connection>()

  constructor(limits: ServerLimits) {
    this.#limits = limits
    this.#arrivals = new Arrivals(limits.arrivals, performance.now())
    this.#strangers = new ClientGroup(limits)
    const { connections, requests } = limits.known ?? limits
    this.#known = new ClientGroup({
      ...{ connections, requests },
      peerConnections: connections,
      peerRequests: requests,
    })
    const arriving = Math.min(connections, MAX_ARRIVING)
    this.#arriving = new ClientGroup({
      connections: arriving,
      peerConnections: arriving,
      requests: 0,
      peerRequests: 0,
    })
  }

  /**
   * Remembers a TCP connection that was just accepted.
   *
   * @returns false if there is no room for it: it is closed
   */
  accept(socket: Socket): boolean {
    const key = addressesOf(socket)
    // A connection that is closed already has no address.
    const { remoteAddress: address = '' } = socket
    const connection: Connection = {
      socket,
      tls: undefined,
      address,
      peer: undefined,
      request: undefined,
      response: undefined,
      unanswered: 0,
      busySince: 0,
      secured: false,
      ending: false,
    }
    if (!this.#arrivals.admit(address, performance.now())) {
      socket.destroy()
      return false
    }
    const isKnown = this.#arrivals.isKnown(address)
    if (!isKnown) this.#strangers.makeRoomForHandshake(connection)
    const group = isKnown ? this.#arriving : this.#strangers
    if (!group.add(connection)) {
      socket.destroy()
      return false
    }
    this.#connections.set(key, connection)
    socket.once('close', () => {
      connection.peer?.group.remove(connection)
      // A newer connection may already use the same port.
      if (this.#connections.get(key) === connection) this.#connections.delete(key)
      if (!connection.secured && socket.bytesRead > HELLO_BYTES) this.#charge(connection)
    })
    return true
  }

  /**
   * Notes that a handshake is complete.
   *
   * @param tls a TLS socket: it has no public reference to the TCP socket under it
   * @param client whether its certificate is one of those that the server serves, or one of nobody that the server knows
   */
  secure(tls: Socket, client: 'known' | 'stranger' | 'refused'): void {
    const connection = this.#connections.get(addressesOf(tls))
    if (connection === undefined) {
      tls.destroy()
      return
    }
    connection.secured = true
    connection.tls = tls
    this.#secured.set(tls, connection)
    tls.once('close', () => this.#secured.delete(tls))
    if (client === 'refused') this.#charge(connection)
    if (client === 'known') this.#arrivals.know(connection.address)
    const group = client === 'known' ? this.#known : this.#strangers
    // One that was closed to make room is in no group.
    if (connection.peer === undefined || connection.peer.group === group) return
    connection.peer.group.remove(connection)
    if (!group.add(connection)) connection.socket.destroy()
  }

  /** Counts a request until its response or its connection is closed, and says what to do with it. */
  admit(request: IncomingMessage, response: ServerResponse): Admission {
    const connection = this.#secured.get(request.socket)
    const group = connection?.peer?.group
    if (connection === undefined || group === undefined || connection.ending) {
      stopParsing(request.socket)
      return 'ignore'
    }
    if (connection.unanswered === 0) connection.busySince = performance.now()
    group.count(connection, 1)
    connection.request = request
    connection.response = response
    response.once('close', () => {
      if (connection.response === response) connection.response = undefined
      group.count(connection, -1)
    })
    if (connection.unanswered > this.#limits.pipelined) {
      stopParsing(request.socket)
      request.socket.destroy()
      return 'ignore'
    }
    return group.admits(connection) ? 'serve' : 'refuse'
  }

  /** Closes a connection after the answer to its last request, and serves no further request of it. */
  endAfterAnswer(socket: Socket): void {
    const connection = this.#secured.get(socket)
    if (connection !== undefined) end(connection)
  }

  /** Closes each busy connection after its answer. */
  endAfterAnswers(): void {
    for (const connection of this.#connections.values()) end(connection)
  }

  /**
   * Closes the connections of strangers that send more than a request, and those with a request that was not answered in time, or
   * whose answer was not taken in time. To be called now and then.
   */
  closeOverdue(): void {
    const now = performance.now()
    const latest = now - this.#limits.answerMs
    this.#arrivals.forgetOld(now)
    for (const connection of this.#connections.values()) {
      const { socket, unanswered, busySince } = connection
      if (unanswered > 0 && busySince < latest) socket.destroy()
      else if (this.#isEndless(connection)) {
        this.#charge(connection)
        socket.destroy()
      }
    }
  }

  #isEndless({ peer, socket, tls }: Connection): boolean {
    if (peer === undefined || peer.group === this.#known) return false
    const { bytesRead } = socket
    const content = tls?.bytesRead ?? 0
    return bytesRead > this.#limits.strangerBytes || bytesRead - content > WRAPPING_BYTES + content
  }

  /** How many connections were closed to make room for others, since it was asked last. */
  takeDisplaced(): number {
    const groups = [this.#strangers, this.#known, this.#arriving]
    return groups.reduce((sum, group) => sum + group.takeDisplaced(), 0)
  }

  /**
   * Closes all connections, the busy ones after their answers. Node's own closeIdleConnections closes only connections
   * that have answered a request: new ones, verified by an old CA, would stay.
   */
  forgetClients(): void {
    this.#arrivals.forgive()
    for (const connection of this.#connections.values()) {
      const { socket, response } = connection
      if (response === undefined) {
        socket.destroy()
        continue
      }
      end(connection)
      // If the header is already sent, it still promises keep-alive: the connection is closed all the same.
      response.once('close', () => response.req.socket.destroySoon())
    }
  }

  /** An address that sends long chains of certificates, or without end, is heard no more, until time has made up for them. */
  #charge({ address, socket }: Connection): void {
    if (this.#arrivals.charge(address, socket.bytesRead, performance.now())) return
    for (const { address: other, socket, secured } of this.#connections.values()) {
      if (other === address && !secured) socket.destroy()
    }
  }

  /** Closes all connections at once. Node's own closeAllConnections leaves those that are in their TLS handshake. */
  destroyAll(): void {
    for (const { socket } of this.#connections.values()) socket.destroy()
  }
}

function end(connection: Connection): void {
  const { response } = connection
  // A header that is already sent may promise another answer.
  if (response === undefined || response.headersSent) return
  response.shouldKeepAlive = false
  connection.ending = true
}

/** Identifies a connection. */
function addressesOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
