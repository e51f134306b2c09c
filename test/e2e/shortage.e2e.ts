// Pods that are not there, on a real cluster: the scheduler has no node for them, or a quota refuses them. The gateway says so in
// explain and counts them; when the cause is gone, so is the count.
import assert from 'node:assert/strict'
import { withShared } from './support/cases.ts'
import { Fleet } from './support/fleet.ts'
import { run } from './support/installation.ts'
import { kubectl } from './support/kubectl.ts'
import { type Member, metricPath, resize } from './support/members.ts'
import { eventually, holds } from './support/wait.ts'

const METRIC = 'node_unavailable_count'

async function explain(member: Member): Promise<string> {
  const path = `${metricPath(member, 'explain')}?format=text`
  const { code, stdout, stderr } = await kubectl(['get', '--raw', path])
  if (code !== 0) throw new Error(`Cannot explain: ${stderr.trim()}`)
  // Without the line breaks of the layout.
  return stdout.replace(/\s+/g, ' ')
}

async function create(object: object): Promise<void> {
  const { code, stderr } = await kubectl(['create', '-f', '-'], JSON.stringify(object))
  if (code !== 0) throw new Error(`Cannot create: ${stderr.trim()}`)
}

/** The names of the MiniCluster's pods. */
async function pods({ namespace, name }: Member): Promise<readonly string[]> {
  const scope = [`--namespace=${namespace}`, `--selector=job-name=${name}`]
  const { stdout } = await kubectl(['get', 'pods', ...scope, '--output=name'])
  return stdout.split('\n').filter((line) => line !== '')
}

/** Waits for the sentence at once and for the number after a minute, which is not there before. */
async function isToldAs(fleet: Fleet, member: Member, sentence: RegExp): Promise<void> {
  const told = await eventually('the sentence', async () => {
    const text = await explain(member)
    return sentence.test(text) ? text : undefined
  })
  const [, seconds] = /for (\d+) s/.exec(told) ?? []
  assert.ok(seconds !== undefined && Number(seconds) < 60, told)
  assert.equal(await fleet.metric(member, METRIC), 0)
  await holds('the number', async () => (await fleet.metric(member, METRIC)) === 2)
  assert.match(await explain(member), sentence)
}

async function isCured(fleet: Fleet, member: Member): Promise<void> {
  await holds('the number to be 0', async () => (await fleet.metric(member, METRIC)) === 0)
  await holds('an explanation without it', async () => {
    return !/not there/.test(await explain(member))
  })
  assert.equal((await pods(member)).length, 4)
}

withShared('pods that are not there', () => Fleet.create(), {
  'pods that fit on no node are told with the reasons of the scheduler, and counted after a minute':
    async (fleet) => {
      const member = fleet.alone
      const { namespace, name } = member
      assert.equal(await fleet.metric(member, METRIC), 0)
      assert.doesNotMatch(await explain(member), /not there/)
      await create({
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'large', namespace },
        spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '1000' } }] },
      })
      await resize(member, 4)
      // A copy of the labels, on no node either, is not one of its pods.
      await create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'copy',
          namespace,
          labels: { 'job-name': name, 'batch.kubernetes.io/job-completion-index': '1' },
          annotations: { 'batch.kubernetes.io/job-completion-index': '1' },
        },
        spec: { containers: [{ name: 'copy', image: 'localhost/none:none' }] },
      })
      await isToldAs(
        fleet,
        member,
        /ranks 2-3 are not there: their pods are Pending for [\w ]+: Insufficient cpu/,
      )
      const scope = `--namespace=${namespace}`
      await run(['delete', 'pod', 'copy', scope])
      await run(['delete', 'limitrange', 'large', scope])
      const lists = ['--field-selector=status.phase=Pending', `--selector=job-name=${name}`]
      await run(['delete', 'pods', scope, ...lists])
      await isCured(fleet, member)
    },

  'pods that a quota refuses are told with the quota, and counted after a minute': async (
    fleet,
  ) => {
    const member = fleet.alone
    const { namespace } = member
    await resize(member, 2)
    await holds('two pods', async () => (await pods(member)).length === 2)
    await create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'two-pods', namespace },
      spec: { hard: { pods: '2' } },
    })
    await holds('the use of the quota', async () => {
      const args = ['get', 'resourcequota', 'two-pods', `--namespace=${namespace}`]
      return (await kubectl([...args, '--output=jsonpath={.status.used.pods}'])).stdout === '2'
    })
    await resize(member, 4)
    await isToldAs(
      fleet,
      member,
      /ranks 2-3 are not there: their pods cannot be created for [\w ]+: quota two-pods is exceeded \(requested: pods=1, used: pods=2, limited: pods=2\)/,
    )
    await run(['delete', 'resourcequota', 'two-pods', `--namespace=${namespace}`])
    await isCured(fleet, member)
  },
})
