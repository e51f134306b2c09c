// The page in Chromium, told what a test wants. Whatever the browser complains about fails the test.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { DashboardData, MiniClusterState, Start } from '../../../webhook/cli/dashboard/data.ts'
import { startDashboard } from '../../../webhook/cli/dashboard/loopback-server.ts'
import { readPageFiles } from '../../../webhook/cli/dashboard/page-files.ts'
import { SceneData } from './scene-data.ts'
import { LIST } from './scenes.ts'

export const START: Start = {
  version: '1.2.3',
  subject: { namespace: 'hpc', name: 'flux-sample' },
  title: null,
  hasList: true,
}

/** Data that say this of the one MiniCluster, and have the list of the scenes. */
export function telling(state?: MiniClusterState, start: Partial<Start> = {}): SceneData {
  const data = new SceneData({ ...START, ...start }, LIST)
  data.now = state
  return data
}

/** Built once. */
let files: ReturnType<typeof readPageFiles> | undefined

export interface Shown {
  readonly page: Page
  readonly url: string
}

/** Serves and opens the page until the test ends, which fails if there was an error in the console. */
export async function show(
  t: TestContext,
  browser: Browser,
  data: DashboardData,
  options: BrowserContextOptions = {},
): Promise<Shown> {
  files ??= readPageFiles()
  const dashboard = await startDashboard({ data, files: await files, port: 0 })
  const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en-GB', ...options })
  const page = await context.newPage()
  // A browser that has just started shares a busy machine with other tests.
  page.setDefaultTimeout(120_000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  t.after(async () => {
    await context.close()
    await dashboard.close()
    assert.deepEqual(complaints, [])
  })
  await page.goto(dashboard.url)
  return { page, url: dashboard.url }
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What axe finds, as texts. The page must be opened with `bypassCSP`: axe is no part of it. It is given axe once. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate(`'axe' in window`))) await page.evaluate(await readFile(AXE, 'utf8'))
  return page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ': ' + nodes.map(({ html, any }) => html + ' ' + any.map(({ message }) => message)).join('\\n')))`)
}
