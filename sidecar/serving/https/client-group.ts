// The connections of clients that share limits, by the address of their peers. Makes room for a newcomer where a connection
// waits for its client: that of the address with the most goes first, and of these the oldest idle one. So no address is
// shut out by others, however many connections they hold. Knows nothing of TLS.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { GroupLimits } from './limits.ts'

/** A connection and its requests. A client may send a request before the earlier ones are answered. */
export interface Connection {
  /** TCP. */
  readonly socket: Socket
  /** TLS over it, which counts what it has decrypted; the same one without TLS. `undefined` until its handshake is complete. */
  tls: Socket | undefined
  readonly address: string
  /** `undefined` once it is removed from its group. */
  peer: Peer | undefined
  /** The last request, and the response to it until that is closed. */
  request: IncomingMessage | undefined
  response: ServerResponse | undefined
  unanswered: number
  /** When it last had no unanswered request, in milliseconds of `performance.now()`. */
  busySince: number
  /** Whether its handshake is complete. */
  secured: boolean
  /** Whether it is closed after the answer that is due: no further request of it is served. */
  ending: boolean
}

/** The connections of one address, the oldest first. */
interface Peer {
  readonly group: ClientGroup
  readonly connections: Set<Connection>
  unanswered: number
}

export class ClientGroup {
  readonly #limits: GroupLimits
  readonly #peers = new Map<string, Peer>()
  #connections = 0
  #unanswered = 0
  #displaced = 0

  constructor(limits: GroupLimits) {
    this.#limits = limits
  }

  /** How many connections were closed to make room, since it was asked last. */
  takeDisplaced(): number {
    const displaced = this.#displaced
    this.#displaced = 0
    return displaced
  }

  /**
   * Adds a connection, and closes another one for it if there are too many.
   *
   * @returns false if there is no room: all others are at work for their clients
   */
  add(connection: Connection): boolean {
    const { connections, peerConnections } = this.#limits
    const { address } = connection
    const size = ({ connections }: Peer) => connections.size
    const own = this.#peers.get(address)
    if (own !== undefined && size(own) >= peerConnections && !this.#displace([own], connection))
      return false
    if (this.#connections >= connections && !this.#displace(this.#descending(size), connection))
      return false
    const peer = this.#peers.get(address) ?? { group: this, connections: new Set(), unanswered: 0 }
    this.#peers.set(address, peer)
    peer.connections.add(connection)
    connection.peer = peer
    this.#connections += 1
    return true
  }

  /** Closes the oldest connection of an address that is in its handshake, if one more would be too many. */
  makeRoomForHandshake({ address }: Connection): void {
    const { peerHandshakes = this.#limits.peerConnections } = this.#limits
    const handshakes = [...(this.#peers.get(address)?.connections ?? [])].filter(isInHandshake)
    if (handshakes.length >= peerHandshakes) this.#close(handshakes[0])
  }

  remove(connection: Connection): void {
    const { peer, address } = connection
    if (peer === undefined) return
    connection.peer = undefined
    peer.connections.delete(connection)
    peer.unanswered -= connection.unanswered
    this.#connections -= 1
    this.#unanswered -= connection.unanswered
    if (peer.connections.size === 0) this.#peers.delete(address)
  }

  /** @param change 1 for a request, -1 for an answer that is complete */
  count(connection: Connection, change: 1 | -1): void {
    const { peer } = connection
    // The requests of a connection that was removed are no longer counted.
    if (peer === undefined) return
    connection.unanswered += change
    peer.unanswered += change
    this.#unanswered += change
  }

  /**
   * Whether the request that was counted last can be served. If there are too many, closes another connection whose client
   * does not take its answer or does not send its body.
   */
  admits(connection: Connection): boolean {
    const { requests, peerRequests } = this.#limits
    const { peer } = connection
    if (peer === undefined) return false
    const unanswered = ({ unanswered }: Peer) => unanswered
    if (peer.unanswered > peerRequests && !this.#displace([peer], connection, isStalled))
      return false
    return (
      this.#unanswered <= requests ||
      this.#displace(this.#descending(unanswered), connection, isStalled)
    )
  }

  #descending(amount: (peer: Peer) => number): readonly Peer[] {
    return [...this.#peers.values()].sort((one, other) => amount(other) - amount(one))
  }

  /** Closes the oldest connection for which a condition holds, of the first peer that has one. */
  #displace(
    peers: readonly Peer[],
    newcomer: Connection,
    ...conditions: readonly ((connection: Connection) => boolean)[]
  ): boolean {
    const inOrder = conditions.length > 0 ? conditions : [isIdle, isStalled]
    for (const { connections } of peers) {
      for (const condition of inOrder) {
        for (const connection of connections) {
          if (connection === newcomer || !condition(connection)) continue
          this.#close(connection)
          return true
        }
      }
    }
    return false
  }

  #close(connection: Connection | undefined): void {
    if (connection === undefined) return
    this.remove(connection)
    connection.socket.destroy()
    this.#displaced += 1
  }
}

function isInHandshake({ secured }: Connection): boolean {
  return !secured
}

/** In its handshake, or between requests, or in the headers of one. */
function isIdle({ unanswered }: Connection): boolean {
  return unanswered === 0
}

/** Whether its client must send the rest of its request, or take the rest of an answer. */
function isStalled({ unanswered, request, response }: Connection): boolean {
  return unanswered > 0 && (request?.complete === false || response?.writableEnded === true)
}
