// The page in a browser: what it shows of each state, for eyes, keyboards and screen readers, at every width.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { MiniClusterState } from '../../../../webhook/cli/dashboard/data.ts'
import { startChromium, WITHOUT_CHROMIUM } from '../../../support/dashboard/chromium.ts'
import {
  draining,
  growing,
  large,
  OUTAGE,
  waiting,
  young,
} from '../../../support/dashboard/scenes.ts'
import { axeFindings, show, telling } from '../../../support/dashboard/shown.ts'

/** While one waits for the page to ask again, another one is drawn. */
const PAGES = 4

suite('the page', { skip: WITHOUT_CHROMIUM, concurrency: PAGES }, () => {
  let browser: Browser
  before(async () => {
    browser = await startChromium()
  })
  after(() => browser?.close())

  test('says at a glance which size is wanted, which is there, and why', async (t) => {
    const { page } = await show(t, browser, telling(growing()))
    await page.getByRole('heading', { name: 'Wants 13 nodes, has 7' }).waitFor()
    assert.deepEqual(await page.locator('.reason-line').allTextContents(), [
      '2 pending jobs need 6 nodes, up to rank 12',
      'rank 6 runs job ƒPo8NP77m of user 1003, which ends within 16 min',
    ])
    assert.equal(await page.locator('.hpa').textContent(), 'HPA flux-sample: 7 → 13, of 2 to 16')
    assert.deepEqual(await page.locator('.figure .number').allTextContents(), [
      '7',
      '13',
      '7',
      '13',
      '16',
    ])
    assert.equal(await page.title(), 'flux-sample · flux-metrics')
  })

  test('says of each job why it waits, and warns with cures', async (t) => {
    const { page } = await show(t, browser, telling(waiting()))
    await page
      .getByText('waits for a dependency, or for a time to begin', { exact: true })
      .waitFor()
    const texts = await page.locator('.pending .job').allTextContents()
    assert.equal(texts.length, 6)
    assert.match(texts.join('\n'), /never starts.*asks for more than its queue has in R/)
    assert.match(texts.join('\n'), /held.*release it with flux job urgency/)
    const warnings = await page.locator('.notice').allTextContents()
    assert.ok(warnings.some((text) => /bad DIMM in slot 3.*flux resource undrain/.test(text)))
  })

  test('shows who runs on a rank, by mouse and by keyboard', async (t) => {
    const { page } = await show(t, browser, telling(growing()))
    const strip = page.getByRole('slider', { name: 'Rank', exact: true })
    await strip.focus()
    await page.keyboard.press('ArrowRight')
    await page.getByText(/^rank 0: busy; job ƒ\w+ of user \d+, ends within/).waitFor()
    await page.keyboard.press('End')
    assert.equal(await strip.getAttribute('aria-valuetext'), 'rank 15: not wanted')
    await page.keyboard.press('ArrowLeft')
    assert.equal(await page.locator('.told').textContent(), 'rank 14: not wanted')
    await strip.hover({ position: { x: 8 * 42 + 20, y: 20 } })
    assert.equal(await page.locator('.told').textContent(), 'rank 8: not up yet')
    assert.deepEqual(await page.locator('.legend .state').allTextContents(), [
      ' 7 busy ranks 0-6',
      ' 6 not up yet ranks 7-12',
      ' 3 not wanted ranks 13-15',
      ' desired size 13',
    ])
  })

  test('says which ranks go when it shrinks', async (t) => {
    const { page } = await show(t, browser, telling(young()))
    await page.getByText('desired size 1 goes: rank 1, when it shrinks to 1').waitFor()
  })

  test('tells the numbers of a time of the last hour by keyboard', async (t) => {
    const { page } = await show(t, browser, telling(growing()))
    const hour = page.getByRole('slider', { name: 'Time in the last hour' })
    await hour.focus()
    const told = () => hour.getAttribute('aria-valuetext')
    const words = 'present 7, floor 7, demand 13, desired 13, running 2, waiting 2'
    assert.equal(await told(), `03:12:40: ${words}`)
    await page.keyboard.press('Home')
    assert.match((await told()) ?? '', /^02:12:50: present 2, /)
    await page.keyboard.press('PageDown')
    assert.match((await told()) ?? '', /^02:14:30: /)
    assert.equal(await page.locator('.at').textContent(), '02:14:30')
  })

  test('no time stands twice below the chart of the first minutes', async (t) => {
    // The browser asks for what the test waits for, which the policy of the page forbids.
    const { page } = await show(t, browser, telling(young()), { bypassCSP: true })
    await page.getByText('Wants 1 node, has 2').waitFor()
    // Times are drawn on a canvas; another width draws them again.
    await page.evaluate(`window.drawn = new Map()
      const { clearRect, fillText } = CanvasRenderingContext2D.prototype
      CanvasRenderingContext2D.prototype.clearRect = function (...place) {
        drawn.set(this, [])
        return clearRect.call(this, ...place)
      }
      CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        if (text.includes(':')) drawn.get(this)?.push(text)
        return fillText.call(this, text, ...place)
      }`)
    await page.setViewportSize({ width: 1_000, height: 800 })
    // Each chart may be drawn more than once.
    const last = '[...drawn.values()].flat()'
    await page.waitForFunction(`${last}.length > 0`)
    assert.deepEqual(await page.evaluate<string[]>(last), ['03:11', '03:12'])
  })

  test('follows what changes, without a reload', async (t) => {
    const data = telling(growing())
    const { page } = await show(t, browser, data)
    await page.getByText('Wants 13 nodes, has 7').waitFor()
    data.now = waiting()
    await page.getByText('Wants 16 nodes, has 12').waitFor()
  })

  test('shows no old number while nothing is known, but since when and why', async (t) => {
    const data = telling(growing())
    const { page } = await show(t, browser, data)
    await page.getByText('Wants 13 nodes, has 7').waitFor()
    data.now = OUTAGE
    await page.getByRole('heading', { name: 'Not known since 03:12:40' }).waitFor()
    await page.getByText(/no broker listens on the socket/).waitFor()
    const text = await page.locator('main').innerText()
    assert.doesNotMatch(text, /Wants|Waiting jobs|Ranks|node_desired_count/)
    const key = await page.locator('.key b').allTextContents()
    assert.deepEqual(new Set(key), new Set(['–']))
    data.now = growing()
    await page.getByText('Wants 13 nodes, has 7').waitFor()
  })

  for (const [what, start, sign] of [
    ['a MiniCluster', {}, 'desired size 13'],
    ['the list', { subject: null }, 'flux-sample'],
  ] as const) {
    test(`shows nothing old of ${what} when somebody looks again and no answer comes`, async (t) => {
      const { page } = await show(t, browser, telling(growing(), start))
      await page.locator('main').getByText(sign, { exact: true }).first().waitFor()
      const ask = Promise.withResolvers<void>()
      t.after(() => ask.resolve())
      // The next question has no answer, and while it is open the machine was asleep: its steady clock stood still. A question
      // that is under way already would be answered after that.
      await page.route('**/data/*', async (route) => {
        await page.evaluate('{ const { now } = Date; Date.now = () => now.call(Date) + 3_600_000 }')
        await ask.promise
        await route.abort()
      })
      await page.getByText('no answer has come for a while').waitFor()
      assert.equal(await page.locator('main').getByText(sign, { exact: true }).count(), 0)
    })
  }

  test('says that the command has ended', async (t) => {
    const { page } = await show(t, browser, telling(growing()))
    await page.getByText('Wants 13 nodes, has 7').waitFor()
    await page.route('**/data/state*', (route) => route.fulfill({ status: 200, body: 'no JSON' }))
    await page.getByText('“flux-metrics dashboard” does not answer: was it ended?').waitFor()
  })

  test('what others write is text, wherever it stands', async (t) => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    const { page } = await show(t, browser, telling(hostile(evil)))
    await page.getByText('Wants').first().waitFor()
    for (const room of [
      '.pending.card',
      '.running.card',
      '.notices',
      '.changes',
      '.metrics',
      '.sizes',
    ]) {
      assert.match(await page.locator(room).first().innerText(), /<img src=x onerror=/, room)
    }
    assert.equal(await page.locator('img, main script').count(), 0)
    assert.equal(await page.title(), 'flux-sample · flux-metrics')
  })

  test('has the HPA for each metric, and finds metrics by name and meaning', async (t) => {
    const { page } = await show(t, browser, telling(growing()))
    await page.getByLabel('Find a metric').fill('HELD')
    await page.getByText('job_held_count', { exact: true }).waitFor()
    assert.equal(await page.getByText('node_desired_count', { exact: true }).count(), 0)
    await page.getByRole('button', { name: 'HPA for job_held_count' }).click()
    const yaml = page.getByLabel('HPA for job_held_count')
    await yaml.getByText('kind: HorizontalPodAutoscaler').waitFor()
  })

  test('the list leads to each MiniCluster, and back', async (t) => {
    const { page } = await show(t, browser, telling(growing(), { subject: null }))
    const row = page.getByRole('row', { name: /train-a/ })
    assert.match(await row.innerText(), /Not known: .* its state is "quorum", not "run"/)
    await page.getByLabel('Find a MiniCluster').fill('ensem')
    assert.equal(await page.getByRole('row').count(), 2)
    await page.getByRole('link', { name: 'ensemble' }).click()
    await page.getByRole('heading', { name: 'ensemble' }).waitFor()
    await page.getByText('Wants 13 nodes, has 7').waitFor()
    await page.getByRole('link', { name: 'MiniClusters' }).click()
    await page.getByRole('link', { name: 'align-nightly' }).waitFor()
  })

  test('draws thousands of ranks in a few shapes', async (t) => {
    const { page } = await show(t, browser, telling(large()))
    await page.getByText('4096', { exact: true }).first().waitFor()
    assert.ok((await page.locator('.cells path').count()) < 30)
    await page.getByRole('slider', { name: 'Rank', exact: true }).focus()
    await page.keyboard.press('End')
    assert.match((await page.locator('.told').textContent()) ?? '', /^rank 4095: /)
  })

  const STATES = [draining, waiting, large, () => OUTAGE]
  for (const { width, colorScheme, states, isWide } of [
    { width: 360, colorScheme: 'light', states: STATES, isWide: false },
    { width: 1_024, colorScheme: 'light', states: STATES, isWide: false },
    // Here axe finds what it finds of the narrower one.
    { width: 1_920, colorScheme: 'light', states: STATES, isWide: true },
    // Of the scheme, axe judges the contrast, which is the same at every width.
    { width: 1_024, colorScheme: 'dark', states: [waiting], isWide: false },
  ] as const) {
    const name = isWide ? 'nothing is cut off' : 'nothing is found by axe or cut off'
    test(`${name}, ${width} px wide, ${colorScheme}`, async (t) => {
      const data = telling(growing())
      const viewport = { width, height: 900 }
      const { page } = await show(t, browser, data, { viewport, colorScheme, bypassCSP: true })
      await page.locator('.hour canvas').first().waitFor()
      const check = async (what: string) => {
        if (!isWide) assert.deepEqual(await axeFindings(page), [], what)
        const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        assert.ok(Number(wide) <= 0, `${what}: ${wide} px too wide`)
        const blank = Number(await page.evaluate(BLANK_BELOW))
        assert.ok(blank <= 0, `${what}: ${blank} px of nothing below the page`)
      }
      for (const state of states) {
        const told = state()
        data.now = told
        const isKnown = told.kind === 'known'
        const sign = isKnown ? `text="desired size ${told.explanation.desired}"` : '.outage'
        await page.locator(sign).waitFor()
        await check(sign)
      }
      await page.getByRole('link', { name: 'MiniClusters' }).click()
      await page.getByRole('link', { name: 'ensemble' }).waitFor()
      await check('list')
    })
  }
})

/** How far one can scroll beyond the end of the page. */
const BLANK_BELOW =
  'document.documentElement.scrollHeight - Math.max(innerHeight, Math.ceil(document.body.getBoundingClientRect().bottom + scrollY))'

/** Wherever somebody else may write, it is this. */
function hostile(text: string): MiniClusterState {
  const state = waiting()
  assert.ok(state.kind === 'known')
  const { explanation } = state
  const { jobs, running, history, metrics = [] } = explanation
  assert.ok(jobs && running && history)
  return {
    kind: 'known',
    hpas: [text],
    explanation: {
      ...explanation,
      reasons: [{ text, code: text }],
      warnings: [{ text, code: text }],
      unknowns: [{ text, code: text }],
      jobs: { more: 0, first: jobs.first.map((job) => ({ ...job, id: text, queue: text, text })) },
      running: { ...running, listed: running.listed.map((job) => ({ ...job, id: text })) },
      history: { ...history, events: [{ at: history.at[0] ?? 0, kind: text, text }] },
      metrics: [{ name: text, help: text, unit: text, value: null, reason: text }, ...metrics],
      ranks: [{ state: text, ranks: '0-3' }],
    },
  }
}
