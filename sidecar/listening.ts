// Listens on the port of a sidecar beside a broker, also if another program has the port: a sidecar that ended instead would
// be started again and again. Until it has started once the broker waits for it, and while it is down the lead broker has
// no name in DNS.
import { PortInUse } from '#serving/https/port.ts'
import type { HttpsServer } from '#serving/https/server.ts'
import type { Logger } from '#serving/log.ts'
import { messageOf } from '#serving/text.ts'
import { sleep } from '#serving/waiting/sleep.ts'
import type { Config } from './config.ts'

export interface ListeningOptions {
  readonly server: Pick<HttpsServer, 'listen'>
  readonly listen: Config['listen']
  /** The time between two attempts; `undefined`: one attempt only. */
  readonly retryMs: number | undefined
  readonly onPort: (port: number) => void
  readonly log: Logger
}

export class Listening {
  readonly #options: ListeningOptions
  readonly #stop = new AbortController()

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  /**
   * Resolves after the first attempt, even if another program has the port.
   *
   * @throws Error that says why the port can never be used
   */
  async start(): Promise<void> {
    const { retryMs, log } = this.#options
    try {
      await this.#attempt()
    } catch (error) {
      if (retryMs === undefined || !(error instanceof PortInUse)) throw error
      log.error({ reason: messageOf(error) }, 'nothing is served yet: trying again')
      void this.#persist(retryMs)
    }
  }

  close(): void {
    this.#stop.abort()
  }

  async #persist(retryMs: number): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      await sleep(retryMs, signal)
      if (signal.aborted) return
      try {
        return await this.#attempt()
      } catch (error) {
        this.#options.log.debug({ reason: messageOf(error) }, 'nothing is served yet')
      }
    }
  }

  async #attempt(): Promise<void> {
    const { server, listen, onPort } = this.#options
    const { port } = await server.listen(listen)
    onPort(port)
  }
}
