// Error answers of the Kubernetes API that some callers expect.
import { ApiException } from '@kubernetes/client-node'

/** The answer to a request; `undefined` if the object does not exist. */
export async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined
    throw error
  }
}

/** Waits for a creation. If the object exists already, as in a repeated reconciliation, this is no error. */
export async function existingAsDone(answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 409)) throw error
  }
}
