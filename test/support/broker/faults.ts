// What a test may make go wrong, by topic: no answer, an error, an answer that comes late.
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

  /** Keeps the answers back until the returned function is called. */
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
   * Answers, unless there is a fault.
   *
   * @throws RpcError
   */
  pass(topic: string, answer: () => void): void {
    const fault = this.#faults.get(topic)
    if (fault?.kind === 'fail') throw fault.error
    if (fault?.kind === 'late') fault.waiting.push(answer)
    else if (fault === undefined) answer()
  }
}
