// Takes the pictures of the page in docs/images again, from simulated MiniClusters:
//
//   node test/support/dashboard/pictures.ts [NAME]... [--into FOLDER]
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import type { MiniClusterState, Start } from '../../../webhook/cli/dashboard/data.ts'
import { startDashboard } from '../../../webhook/cli/dashboard/loopback-server.ts'
import { readPageFiles } from '../../../webhook/cli/dashboard/page-files.ts'
import { ROOT } from '../imports.ts'
import { programArguments } from '../program-arguments.ts'
import { startChromium } from './chromium.ts'
import { SceneData } from './scene-data.ts'
import { draining, growing, LIST, large, OUTAGE, recovered, UNTIL, waiting } from './scenes.ts'
import { shrinkPng } from './small-png.ts'

interface Picture {
  readonly name: string
  /** What the page is told, one after the other; `list`: the list. */
  readonly states: readonly (() => MiniClusterState)[] | 'list'
  readonly width: number
  readonly height: number
  readonly isDark?: boolean
}

const PICTURES: readonly Picture[] = [
  { name: 'waiting', states: [waiting], width: 1440, height: 1180 },
  { name: 'growing', states: [growing], width: 1440, height: 1000 },
  { name: 'draining', states: [draining], width: 1440, height: 1000 },
  { name: 'error', states: [recovered, () => OUTAGE], width: 1440, height: 800 },
  { name: 'list', states: 'list', width: 1440, height: 640 },
  { name: 'large', states: [large], width: 1440, height: 1000 },
  { name: 'dark', states: [waiting], width: 1440, height: 1180, isDark: true },
  { name: 'phone', states: [waiting], width: 360, height: 1500 },
]

const START: Start = {
  version: '0.2.0',
  subject: null,
  title: null,
  hasList: true,
}

async function takePictures(folder: string, isChosen: (name: string) => boolean): Promise<void> {
  await mkdir(folder, { recursive: true })
  const files = await readPageFiles()
  const browser = await startChromium()
  for (const { name, states, width, height, isDark = false } of PICTURES) {
    if (!isChosen(name)) continue
    const isList = states === 'list'
    const subject = isList
      ? null
      : { namespace: 'hpc', name: `flux-${name === 'large' ? name : 'sample'}` }
    const data = new SceneData({ ...START, subject }, LIST)
    const dashboard = await startDashboard({ data, files, port: 0 })
    const options: BrowserContextOptions = {
      viewport: { width, height },
      colorScheme: isDark ? 'dark' : 'light',
      timezoneId: 'UTC',
      locale: 'en-GB',
      reducedMotion: 'reduce',
    }
    const page = await browser.newPage(options)
    await page.clock.install({ time: UNTIL })
    data.now = isList ? undefined : states[0]?.()
    await page.goto(dashboard.url)
    await page
      .locator(isList ? 'table' : '.hour canvas')
      .first()
      .waitFor()
    for (const state of isList ? [] : states.slice(1)) {
      data.now = state()
      await page.clock.runFor(2_500)
      await page.locator('.outage').waitFor()
    }
    const picture = shrinkPng(await page.screenshot())
    await writeFile(join(folder, `dashboard-${name}.png`), picture)
    await page.close()
    await dashboard.close()
  }
  await browser.close()
}

const names = PICTURES.map(({ name }) => name)
const USAGE = `Usage: node test/support/dashboard/pictures.ts [NAME]... [--into FOLDER]

Takes the pictures of the page in docs/images again.

  NAME           ${names.slice(0, 4).join(', ')},
                 ${names.slice(4).join(', ')} [all of them]
  --into FOLDER  where they are written [docs/images]

Exit codes: 0 they are taken; 2 wrong usage.
`
const { values, isChosen } = programArguments({ into: { type: 'string' } }, { usage: USAGE, names })
await takePictures(values.into ?? join(ROOT, 'docs/images'), isChosen)
