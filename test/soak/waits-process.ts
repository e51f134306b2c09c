// Waits in every way in which the sidecar waits, on one signal and one connection that live as long as the process.
// Arguments: the broker's socket, the number of waits.
import { ChangeFeed } from '#collecting/change-feed.ts'
import { getAttribute } from '#flux/calls/broker-calls.ts'
import { Client } from '#flux/wire/client.ts'
import { sleep } from '#serving/waiting/sleep.ts'
import { measure } from './measure.ts'
import { report, SAMPLES } from './soaked.ts'

const SLEEPERS = 400
const FEEDS = 100

const [path = '', count = ''] = process.argv.slice(2)
const { signal } = new AbortController()
const limits = { timeoutMs: 60_000, signal }
const client = await Client.connect(path, limits)
const version = await getAttribute(client, 'version', limits)
const feeds = Array.from({ length: FEEDS }, () => ChangeFeed.open(client, version, limits))

const turns = Math.ceil(Number(count) / SAMPLES / (SLEEPERS + FEEDS))

async function repeat(wait: () => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await wait()
}

for (let sample = 1; sample <= SAMPLES; sample += 1) {
  await Promise.all([
    ...Array.from({ length: SLEEPERS }, () => repeat(() => sleep(1, signal))),
    ...feeds.map((feed) => repeat(() => feed.wait(0, 1, signal))),
  ])
  const work = sample * turns * (SLEEPERS + FEEDS)
  report({ sample: measure(work, client.matchtagsInUse) })
}
for (const feed of feeds) feed.close()
client.close()
process.disconnect?.()
