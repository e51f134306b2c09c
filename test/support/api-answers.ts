// Turns expected errors of the Kubernetes API (404, 409) into values.
import { ApiException } from '@kubernetes/client-node'

/** Returns the answer, or `undefined` if there is no such object. */
export async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined
    throw error
  }
}

/** Waits for a creation. It is no error if the object exists already, as in a repeated reconciliation. */
export async function existingAsDone(answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 409)) throw error
  }
}
