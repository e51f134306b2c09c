// Starts the process of the simulated sidecars.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CaKeys } from '../../../webhook/authority/certificate-authority.ts'
import type { MiniClusterName } from '../../../webhook/gateway/peers/peer.ts'
import type { Clients } from './authority.ts'

export interface FleetInput {
  /** Issues the certificate of each. */
  readonly ca: CaKeys
  readonly clients: Clients
  readonly members: readonly MiniClusterName[]
  /** Text of `/metrics`. */
  readonly page: string
}

export interface Fleet {
  /** Of each member. */
  readonly ports: readonly number[]
  /** Makes the first sidecars hang, and the others answer. */
  hang(count: number): void
  stop(): Promise<void>
}

export async function startFleet(folder: string, input: FleetInput): Promise<Fleet> {
  const file = join(folder, 'fleet.json')
  await writeFile(file, JSON.stringify(input))
  const child = fork(join(import.meta.dirname, 'fleet-process.ts'), [file])
  const [{ ports }] = await once(child, 'message')
  return {
    ports,
    hang: (hanging) => child.send({ hanging }),
    stop: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
