// Opens the page in the user's browser. The address is not among the arguments, which other users of the machine may read: the
// browser is given a file that only this user can read, and that leads to the page.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '../command.ts'

/** @returns a function that removes what was left for the browser; `undefined` if there is no browser to open */
export async function openBrowser(
  url: string,
  { env }: Pick<Io, 'env'>,
  platform: NodeJS.Platform = process.platform,
): Promise<(() => Promise<void>) | undefined> {
  const program = openerFor(platform, env)
  if (program === undefined) return undefined
  // mkdtemp makes it for this user alone.
  const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-'))
  const file = join(folder, 'open.html')
  const text = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${url}"><title>flux-metrics</title>\n`
  await writeFile(file, text, { mode: 0o600 })
  const [command, ...args] = program
  const child = spawn(command, [...args, file], { stdio: 'ignore', detached: true, env })
  // Whoever has no browser reads the address in the terminal.
  child.on('error', () => {})
  child.unref()
  return () => rm(folder, { recursive: true, force: true })
}

function openerFor(
  platform: NodeJS.Platform,
  env: Io['env'],
): readonly [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  const hasScreen = Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY)
  return hasScreen ? ['xdg-open'] : undefined
}
