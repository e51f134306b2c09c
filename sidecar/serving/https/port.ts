// Takes a port for a server, and says what to do where that fails.
import type { Server } from 'node:net'
import { messageOf } from '../text.ts'

/** Connections that wait to be accepted: Linux's own maximum (`net.core.somaxconn`). A burst must not shut out a kubelet. */
const BACKLOG = 4096

/** Where a server listens. */
export interface Place {
  /** 0 for any free one. */
  readonly port: number
  /** Default: all addresses. */
  readonly address?: string | undefined
  /** The environment variable that chooses the port, for the words of a failure. */
  readonly variable?: string
}

/** Another program has the port. It may end. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse'
}

/**
 * Resolves when the server listens. After a failure it may be called again.
 *
 * @throws PortInUse, or another Error, that says what to do
 */
export async function listenOn(
  server: Server,
  { port, address, variable = 'LISTEN_PORT' }: Place,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.once('listening', resolve)
  server.listen({ port, host: address, backlog: BACKLOG })
  try {
    await promise
  } catch (cause) {
    const message = `Cannot listen on port ${port}: ${whyNot(cause, variable)}`
    const Kind = codeOf(cause) === 'EADDRINUSE' ? PortInUse : Error
    throw new Kind(message, { cause })
  } finally {
    server.removeListener('error', reject)
    server.removeListener('listening', resolve)
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function whyNot(error: unknown, variable: string): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `another program uses it; choose another with ${variable}`
    case 'EACCES':
      return `it is reserved for root; choose 1024 or higher with ${variable}`
    case 'EADDRNOTAVAIL':
      return 'LISTEN_ADDRESS is not an address of this machine'
    default:
      return messageOf(error)
  }
}
