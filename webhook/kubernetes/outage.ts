// Logs when a repeated task begins to fail, fails in another way, and works again. Does not log each failure, and does
// not repeat the task.

import type { Logger } from '#serving/log.ts'
import { messageOf } from '#serving/text.ts'
import { ClusterError } from './cluster.ts'

export class Outage {
  readonly #log: Logger
  readonly #task: string
  #failure: { readonly kind: string; readonly reason: string } | undefined

  /** @param task the task in words, which complete the sentence "cannot …" */
  constructor(log: Logger, task: string) {
    this.#log = log
    this.#task = task
  }

  /** Why the last attempt failed; `undefined` if it succeeded. */
  get reason(): string | undefined {
    return this.#failure?.reason
  }

  /** @param failures the errors of one attempt, the most serious first; empty if it succeeded */
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
    // An API server recovers by itself; an invalid Secret needs a person.
    const level = err instanceof ClusterError ? 'warn' : 'error'
    this.#log[level]({ err }, `cannot ${this.#task}: trying again`)
  }
}

/** Two errors are of one kind if their code is the same: a refused connection and a timeout are the same outage. */
function kindOf(error: unknown): string {
  return error instanceof ClusterError ? `code ${error.code}` : messageOf(error)
}
