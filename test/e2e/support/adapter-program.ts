// The test adapter of sigs.k8s.io/custom-metrics-apiserver, from which most adapters are made: built from published Go modules,
// once on each machine. That takes some minutes, so it is done only if it is asked for: with E2E_BUILD_ADAPTER=true.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const VERSION = 'v1.37.0'
const MODULE = 'sigs.k8s.io/custom-metrics-apiserver'

/** Outside of the checkout: it survives it. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'flux-metrics-e2e')
const PROGRAM = join(CACHE, `test-adapter-${VERSION}`)

const run = promisify(execFile)

/** Why there can be no adapter here: a sentence; `undefined` if there can. */
export async function whyNoAdapter(): Promise<string | undefined> {
  if (await isBuilt()) return undefined
  if (process.env.E2E_BUILD_ADAPTER !== 'true') {
    return 'the other adapter is not built on this machine: E2E_BUILD_ADAPTER=true builds it, once, in some minutes'
  }
  try {
    await run('go', ['version'])
    return undefined
  } catch {
    return 'there is no Go on this machine, with which the other adapter is built'
  }
}

/** Path of the program, for Linux, without libraries. Builds it if needed: some minutes. */
export async function adapterProgram(): Promise<string> {
  if (await isBuilt()) return PROGRAM
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'build-'))
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: folder }
    const flags = ['-trimpath', '-ldflags', '-s -w']
    await run('go', ['install', ...flags, `${MODULE}/test-adapter@${VERSION}`], { env })
    await rename(join(folder, 'test-adapter'), PROGRAM)
  } finally {
    await rm(folder, { recursive: true })
  }
  return PROGRAM
}

async function isBuilt(): Promise<boolean> {
  return stat(PROGRAM).then(
    (found) => found.isFile(),
    () => false,
  )
}
