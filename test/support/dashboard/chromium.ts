// Debian's Chromium for tests of the page. The one without windows takes half of the time.
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'

const PATHS = [
  process.env.CHROMIUM,
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** The program; `undefined` where there is none. */
export const CHROMIUM = PATHS.find((path) => path !== undefined && existsSync(path))

/** Why tests of the page are skipped; `false` if they are not. Where a browser is expected, a missing one is a failure. */
export const WITHOUT_CHROMIUM =
  CHROMIUM === undefined && process.env.REQUIRE_CHROMIUM !== 'true'
    ? 'there is no Chromium: apt-get install chromium-headless-shell, or name the program with CHROMIUM'
    : false

/** Starts it until the test ends. */
export async function launchChromium(t: Pick<TestContext, 'after'>): Promise<Browser> {
  const browser = await startChromium()
  t.after(() => browser.close())
  return browser
}

/** As root it has no sandbox. */
export async function startChromium(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('Cannot start Chromium: there is none')
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}
