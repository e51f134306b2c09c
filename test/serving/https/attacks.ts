// Hostile clients of an HTTPS server on this machine. Each holds its connections, and opens a new one for each that the
// server closes, until it is stopped.
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'

export interface Target {
  readonly port: number
  /** Whether the server has no TLS. */
  readonly plain?: boolean
  /** Addresses of the attacker on this machine, such as 127.0.0.2. */
  readonly addresses: readonly string[]
  /** Connections that the attacker holds, or tries to hold, from each address. */
  readonly connections: number
  /** Paths that the server answers to any client. The answer to `largePath` does not fit into the kernel's buffers. */
  readonly path: string
  readonly largePath: string
}

/** Stops an attack and closes its connections. */
export type Stop = () => void

/** Opens a connection of an attack from an address of this machine. */
type Open = (port: number, localAddress: string) => Socket

/** How often an attacker sends its next byte, or comes back after it was disconnected. */
const PATIENCE_MS = 100

/** Holds connections. Returns once each of them was open, or was closed by the server. */
async function hold({ port, addresses, connections }: Target, open: Open): Promise<Stop> {
  const held = new Set<Socket>()
  let stopped = false
  const start = (address: string, settled: () => void): void => {
    if (stopped) return
    const socket = open(port, address)
    held.add(socket)
    socket.on('error', () => {})
    socket.once('connect', settled)
    socket.once('secureConnect', settled)
    socket.once('close', () => {
      held.delete(socket)
      settled()
      setTimeout(start, PATIENCE_MS, address, () => {})
    })
  }
  const all = addresses.flatMap((address) => Array.from({ length: connections }, () => address))
  await Promise.all(all.map((address) => new Promise<void>((resolve) => start(address, resolve))))
  return () => {
    stopped = true
    for (const socket of held) socket.destroy()
  }
}

/** Opens connections on which requests can be sent: with TLS, unless the server has none. */
function ready(
  { plain = false }: Target,
  use: (socket: Socket) => void,
  maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Open {
  return (port, localAddress) => {
    // The type of tls.connect lacks the options of net.connect that it passes on.
    const options = { port, host: '127.0.0.1', localAddress, rejectUnauthorized: false, maxVersion }
    const socket = plain ? connectTcp(options) : connectTls(options)
    socket.once(plain ? 'connect' : 'secureConnect', () => use(socket))
    return socket
  }
}

/** Sends a text and then one byte after the other, for as long as the connection is open. */
function trickle(socket: Socket, text: string): void {
  socket.write(text)
  const timer = setInterval(() => socket.write('a'), PATIENCE_MS)
  socket.once('close', () => clearInterval(timer))
  socket.resume()
}

/** What a client of this Node sends first in a handshake. */
async function recordClientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot read the port')
  const client = connectTls({ port: address.port, host: '127.0.0.1' })
  client.on('error', () => {})
  const [accepted] = await once(server, 'connection')
  const [hello] = await once(accepted, 'data')
  client.destroy()
  server.close()
  return hello
}

const CLIENT_HELLO = await recordClientHello()

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

/** Every attack by its name. */
export const ATTACKS: Readonly<Record<string, (target: Target) => Promise<Stop>>> = {
  'connections that never begin their handshake': (target) =>
    hold(target, (port, localAddress) => connectTcp({ port, host: '127.0.0.1', localAddress })),
  'handshakes that stop after the ClientHello': (target) =>
    hold(target, (port, localAddress) => {
      const socket = connectTcp({ port, host: '127.0.0.1', localAddress })
      socket.write(CLIENT_HELLO)
      return socket
    }),
  'idle connections': (target) =>
    hold(
      target,
      ready(target, () => {}),
    ),
  'clients that send their headers byte by byte': (target) =>
    hold(
      target,
      ready(target, (socket) => trickle(socket, `GET ${target.path} HTTP/1.1\r\nX-Long: `)),
    ),
  'clients that send their bodies byte by byte': (target) =>
    hold(
      target,
      ready(target, (socket) =>
        trickle(socket, `POST ${target.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n`),
      ),
    ),
  'clients that do not read': (target) =>
    hold(
      target,
      ready(target, (socket) => {
        socket.pause()
        socket.write(get(target.largePath).repeat(8))
      }),
    ),
  'clients that send a thousand requests at once': (target) =>
    hold(
      target,
      ready(target, (socket) => {
        socket.resume()
        socket.write(get(target.path).repeat(1000))
      }),
    ),
  'clients that reconnect for each request': (target) =>
    hold(
      target,
      ready(target, (socket) => {
        socket.write(get(target.path))
        socket.once('data', () => socket.destroy())
      }),
    ),
  'clients that renegotiate': (target) =>
    hold(
      target,
      ready(
        target,
        (socket) => {
          socket.resume()
          if (!(socket instanceof TLSSocket)) return
          socket.renegotiate({ rejectUnauthorized: false }, () => socket.write(get(target.path)))
        },
        'TLSv1.2',
      ),
    ),
}
