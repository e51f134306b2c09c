// The tests of several files in this process. None begins while a file is still being loaded: that takes seconds on a busy
// machine, and a test of deadlines would miss them.
import { flushCompileCache } from 'node:module'
import { before, test } from 'node:test'
import { pathToFileURL } from 'node:url'

/** Loads test files, given as absolute paths. One that cannot be loaded is a test that fails, and the others run. */
export async function loadGroup(files: readonly string[]): Promise<void> {
  const { promise: loaded, resolve } = Promise.withResolvers<void>()
  before(() => loaded)
  for (const file of files) {
    try {
      await import(pathToFileURL(file).href)
    } catch (error) {
      test(`${file} can be loaded`, () => {
        throw error
      })
    }
  }
  // Others that begin meanwhile need not compile the same again.
  flushCompileCache()
  resolve()
}
