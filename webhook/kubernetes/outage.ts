// Tells the log when something begins to fail, fails in another way, and works again: not each time that it fails.
import type { Logger } from '#serving/log.ts'
import { ClusterError } from './cluster.ts'

export class Outage {
  readonly #log: Logger
  readonly #task: string
  #failure: { readonly kind: string; readonly reason: string } | undefined

  /** @param task what fails or works, as in "cannot keep certificates up to date" */
  constructor(log: Logger, task: string) {
    this.#log = log
    this.#task = task
  }

  /** What fails, in words; `undefined` while all is well. */
  get reason(): string | undefined {
    return this.#failure?.reason
  }

  /** @param failures of one attempt, the gravest first; none: it succeeded */
  report(failures: readonly unknown[]): void {
    const known = this.#failure
    const [err] = failures
    if (err === undefined) {
      this.#failure = undefined
      if (known !== undefined) this.#log.info({}, `can ${this.#task} again`)
      return
    }
    this.#failure = { kind: kindOf(err), reason: messageOf(err) }
    if (this.#failure.kind === known?.kind) return
    // An API server comes back; a Secret that is no good waits for a person.
    const level = err instanceof ClusterError ? 'warn' : 'error'
    this.#log[level]({ err }, `cannot ${this.#task}: trying again`)
  }
}

/** A connection that is refused and one that times out are the same outage. */
function kindOf(error: unknown): string {
  return error instanceof ClusterError ? `code ${error.code}` : messageOf(error)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
