// The cases of one e2e file share what they run on, and run in order. If one fails, the state of the cluster is printed.
import { after, before, describe, it, type TestContext } from 'node:test'
import { Environment, type EnvironmentOptions } from './environment.ts'

/** What cases run on. */
interface Shared {
  report(): Promise<void>
  remove(): Promise<void>
}

type Cases<T> = Readonly<Record<string, (shared: T, t: TestContext) => Promise<void>>>

/** Longer than any wait of a case, so that the wait fails first and says what it waited for. */
const TIMEOUT_MS = 900_000

/** Declares the cases of an Environment. */
export function withEnvironment(
  title: string,
  cases: Cases<Environment>,
  options: EnvironmentOptions = {},
): void {
  withShared(title, () => Environment.create(options), cases)
}

/**
 * Declares the cases. What they share is created before the first and removed after the last.
 *
 * @param skip why they cannot run here
 */
export function withShared<T extends Shared>(
  title: string,
  create: () => Promise<T>,
  cases: Cases<T>,
  skip?: string,
): void {
  describe(title, { timeout: 3 * TIMEOUT_MS, skip: skip ?? false }, () => {
    let shared: T | undefined
    before(
      async () => {
        shared = await create()
      },
      { timeout: TIMEOUT_MS },
    )
    after(
      async () => {
        await shared?.remove()
      },
      { timeout: TIMEOUT_MS },
    )
    for (const [name, run] of Object.entries(cases)) {
      it(name, { timeout: TIMEOUT_MS }, async (t) => {
        if (shared === undefined) throw new Error('Cannot run: there is nothing to run on')
        try {
          await run(shared, t)
        } catch (error) {
          await shared.report()
          throw error
        }
      })
    }
  })
}
