// Ends the parsing of a connection, of a server or of a client, at once.
import type { Socket } from 'node:net'

/**
 * Node goes on to parse what it has received of a connection that is closed, 650 requests in each 16 KiB, and frees them only
 * later: such connections ended the process. `onIncoming` is not documented; with this result, that of an upgrade, the
 * parser stops at once.
 */
export function stopParsing(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser')
  if (parser instanceof Object) Reflect.set(parser, 'onIncoming', () => 2)
}
