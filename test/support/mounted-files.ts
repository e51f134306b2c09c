// Files as the kubelet mounts a Secret or a ConfigMap: `name` → `..data/name`, and `..data` → a folder that is replaced.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface MountedFile {
  readonly path: string
  /** Replaces the folder with one in which the file has this text; `undefined`: with one without the file. */
  put(text: string | undefined): Promise<void>
}

/** Creates an empty volume for one file. It is removed when the test ends. */
export async function mountFile(t: TestContext, name: string): Promise<MountedFile> {
  const folder = await mkdtemp(join(tmpdir(), 'volume-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, name)
  let version = 0
  const put = async (text: string | undefined) => {
    version += 1
    const target = `..${version}`
    await mkdir(join(folder, target))
    if (text !== undefined) await writeFile(join(folder, target, name), text)
    await symlink(target, join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    // The kubelet links only the files that exist.
    if (text === undefined) await rm(path, { force: true })
    else await symlink(join('..data', name), path).catch(ignoreExisting)
  }
  return { path, put }
}

function ignoreExisting(error: unknown): void {
  const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
  if (!exists) throw error
}
