// The cases of one e2e file share an Environment and run in order. If one fails, the state of the cluster is printed.
import { after, before, describe, it, type TestContext } from 'node:test'
import { Environment, type EnvironmentOptions } from './environment.ts'

type Case = (environment: Environment, t: TestContext) => Promise<void>

/** Longer than any wait of a case, so that the wait fails first and says what it waited for. */
const TIMEOUT_MS = 600_000

/** Declares the cases. An Environment is created before the first and removed after the last. */
export function withEnvironment(
  title: string,
  cases: Readonly<Record<string, Case>>,
  options: EnvironmentOptions = {},
): void {
  describe(title, { timeout: 3 * TIMEOUT_MS }, () => {
    let environment: Environment | undefined
    before(
      async () => {
        environment = await Environment.create(options)
      },
      { timeout: TIMEOUT_MS },
    )
    after(
      async () => {
        await environment?.remove()
      },
      { timeout: TIMEOUT_MS },
    )
    for (const [name, run] of Object.entries(cases)) {
      it(name, { timeout: TIMEOUT_MS }, async (t) => {
        if (environment === undefined) throw new Error('Cannot run: there is no environment')
        try {
          await run(environment, t)
        } catch (error) {
          await environment.report()
          throw error
        }
      })
    }
  })
}
