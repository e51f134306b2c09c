// Answers of the Kubernetes API that are no failure to who expects them.
import { ApiException } from '@kubernetes/client-node'

/** The answer to a request, or `undefined` if there is no such object. */
export async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined
    throw error
  }
}

/** Waits for a creation; that the object exists already is what a repeated reconciliation meets. */
export async function existingAsDone(answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 409)) throw error
  }
}
