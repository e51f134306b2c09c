// Which test files share a process.
import { globSync } from 'node:fs'
import { ROOT } from './imports.ts'

/** Test files that one process runs, one after another. */
export interface TestGroup {
  readonly name: string
  /** Paths from the project's root. */
  readonly files: readonly string[]
}

/**
 * Files that compute or wait for long: each has a process of its own, which starts before the others. Those that wait are among
 * those that compute.
 */
export const LONG: readonly string[] = [
  'test/webhook/cli/dashboard/page.test.ts',
  'test/webhook/hostile.test.ts',
  'test/webhook/main.test.ts',
  'test/webhook/gateway/main.test.ts',
  'test/webhook/webhook.test.ts',
  'test/webhook/authority/authority-faults.test.ts',
  'test/sidecar/main.test.ts',
  'test/scaling/safety.test.ts',
  'test/webhook/cli/dashboard/restart.test.ts',
  'test/serving/https/hostile.test.ts',
  'test/collecting/collector.test.ts',
  'test/webhook/gateway/upstream/adapter-failures.test.ts',
  'test/support/build.test.ts',
  'test/webhook/old-pods.test.ts',
  'test/webhook/cli/package.test.ts',
  'test/scaling/faults.test.ts',
  'test/demo/main.test.ts',
  'test/scaling/bursting.test.ts',
  'test/support/program-arguments.test.ts',
]

/**
 * The most files of a group. Each process spends a second of processor time on what the files of most rooms import, but the last
 * group should not keep everybody waiting.
 */
const MOST = 48

/** These wait more than others, for look-ups that are made again and for answers that do not come. They start early. */
const WAITING = ['webhook/admission', 'webhook/gateway']

/** The test files at or below these paths, which begin with `test/`; all if there are none. */
export function testFiles(paths: readonly string[]): readonly string[] {
  const all = globSync('test/**/*.test.ts', { cwd: ROOT }).sort()
  if (paths.length === 0) return all
  const chosen = paths.flatMap((path) => {
    const folder = `${path.replace(/\/$/, '')}/`
    const below = all.filter((file) => `${file}/`.startsWith(folder))
    if (below.length === 0) throw new Error(`no tests in "${path}"`)
    return below
  })
  return [...new Set(chosen)]
}

/** The groups, those that take long first: the files of a room share a process, and small rooms share one. */
export function groupsOf(files: readonly string[]): readonly TestGroup[] {
  const long = LONG.filter((file) => files.includes(file))
  const others = files.filter((file) => !LONG.includes(file))
  const rooms = Object.entries(Object.groupBy(others, roomOf))
  return [
    ...long.map((file) => ({ name: file, files: [file] })),
    ...packed(rooms.flatMap(([room, inRoom = []]) => partsOf(room, inRoom))).sort(byLength),
  ]
}

function byLength(one: TestGroup, other: TestGroup): number {
  return Number(waits(other)) - Number(waits(one)) || other.files.length - one.files.length
}

function waits({ name }: TestGroup): boolean {
  return WAITING.some((room) => name.includes(room))
}

/** `webhook/gateway` of `test/webhook/gateway/asking/verdict.test.ts`. */
function roomOf(file: string): string {
  const folders = file.split('/').slice(1, -1)
  return folders.slice(0, folders[0] === 'webhook' ? 2 : 1).join('/')
}

function partsOf(room: string, files: readonly string[]): readonly TestGroup[] {
  const parts = Math.ceil(files.length / MOST)
  const size = Math.ceil(files.length / parts)
  return Array.from({ length: parts }, (_, part) => ({
    name: `${room}-${part}`,
    files: files.slice(part * size, (part + 1) * size),
  }))
}

/** Fewer groups: neighbours together, as long as they are not too many files. */
function packed(groups: readonly TestGroup[]): TestGroup[] {
  const all: TestGroup[] = []
  for (const group of groups) {
    const last = all.at(-1)
    if (last === undefined || last.files.length + group.files.length > MOST) all.push(group)
    else {
      const files = [...last.files, ...group.files]
      all[all.length - 1] = { name: `${last.name}+${group.name}`, files }
    }
  }
  return all
}
