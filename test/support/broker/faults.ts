// Faults that a test adds to a simulated broker, by topic: no answer, an error, a late answer.
import { RpcError } from './method.ts'

type Fault =
  | { readonly kind: 'hang' }
  | { readonly kind: 'fail'; readonly error: RpcError }
  | { readonly kind: 'late'; readonly waiting: (() => void)[] }

export class Faults {
  readonly #faults = new Map<string, Fault>()

  /** Never answers. */
  hang(topic: string): void {
    this.#faults.set(topic, { kind: 'hang' })
  }

  fail(topic: string, errnum: number, text?: string): void {
    this.#faults.set(topic, { kind: 'fail', error: new RpcError(errnum, text) })
  }

  /** Delays the answers until the returned function is called. */
  answerLate(topic: string): () => void {
    const waiting: (() => void)[] = []
    this.#faults.set(topic, { kind: 'late', waiting })
    return () => {
      this.heal(topic)
      for (const answer of waiting.splice(0)) answer()
    }
  }

  /** Ends the fault of one topic, or all of them. */
  heal(topic?: string): void {
    if (topic === undefined) this.#faults.clear()
    else this.#faults.delete(topic)
  }

  /**
   * Calls `answer`, unless the topic has a fault.
   *
   * @throws RpcError for the fault of {@link Faults.fail}
   */
  pass(topic: string, answer: () => void): void {
    const fault = this.#faults.get(topic)
    if (fault?.kind === 'fail') throw fault.error
    if (fault?.kind === 'late') fault.waiting.push(answer)
    else if (fault === undefined) answer()
  }
}
