// The answer of a sidecar to the gateway, and who gets it: types only.
import type { Question } from './question.ts'

/** The types of answers that are passed on. No HTML ever comes out of the cluster. */
export type AnswerType = 'application/json' | 'text/plain; charset=utf-8'

/** A successful answer. */
export interface SidecarAnswer {
  readonly contentType: AnswerType
  readonly body: string
}

/** Asks sidecars. */
export interface Sidecars {
  /**
   * Asks the sidecar of one MiniCluster, whose identity is verified first.
   *
   * @throws StatusError with the code, the reason and the words of the sidecar; 503 if it cannot be asked; 404 if it is absent
   */
  ask(question: Question): Promise<SidecarAnswer>
}
