import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packBundle, pickFromBundle, unpackBundle } from './bundle.ts'

let scratch: string
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bundle-'))
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

const rejectsBundle = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid_bundle', message: expect.stringMatching(message) })

async function write(directory: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
}

describe('packBundle', () => {
  it('gives the same digest whatever the order, the times and the owner of the files', async () => {
    const segment = fc.stringMatching(/^[a-zé][a-z0-9 ._-]{0,20}[a-z0-9]$/)
    const tree = fc.dictionary(
      fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
      fc.uint8Array({ maxLength: 1500 }),
      { maxKeys: 8 },
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(tree, async (files) => {
        const names = Object.keys(files)
        fc.pre(names.every((name) => !names.some((other) => other !== name && other.startsWith(`${name}/`))))
        const [one, two, out] = ['one', 'two', 'out'].map((name) => join(scratch, `${run}-${name}`))
        if (one === undefined || two === undefined || out === undefined) throw new Error('three directories')
        run += 1
        for (const directory of [one, two]) await mkdir(directory)
        await write(one, files)
        await write(two, Object.fromEntries(Object.entries(files).reverse()))
        for (const name of names) await utimes(join(two, name), 1000, 1000)
        const [first, second] = [await packBundle(one), await packBundle(two)]
        expect(second.digest).toBe(first.digest)
        await unpackBundle(first.bytes, out)
        for (const [name, content] of Object.entries(files))
          expect(new Uint8Array(await readFile(join(out, name)))).toEqual(new Uint8Array(content))
        expect((await packBundle(out)).digest).toBe(first.digest)
      }),
      { numRuns: 40 },
    )
  })

  it('has a digest that does not depend on the machine', async () => {
    await write(scratch, { 'train.ts': 'console.log(1)\n', 'lib/a.ts': '' })
    const { digest, files } = await packBundle(scratch)
    expect(files).toEqual(['lib/a.ts', 'train.ts'])
    expect(digest).toBe('sha256:17357915f9a5b54b4fc3bcc6b40e8d29ff32289c14996a3fe57d7d8c09945df9')
  })

  it('writes a tar that tar reads', async () => {
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}`
    await write(scratch, { [`in/${long}`]: 'long', 'in/run.sh': 'exit 3' })
    await chmod(join(scratch, 'in/run.sh'), 0o700)
    const { bytes } = await packBundle(join(scratch, 'in'))
    await mkdir(join(scratch, 'out'))
    execFileSync('tar', ['-x', '-C', join(scratch, 'out')], { input: bytes })
    expect(await readFile(join(scratch, 'out', long), 'utf8')).toBe('long')
    expect((await stat(join(scratch, 'out/run.sh'))).mode & 0o777).toBe(0o755)
  })

  it('leaves out what is ignored, at any depth', async () => {
    await write(scratch, {
      'a.ts': '',
      'a.test.ts': '',
      'node_modules/x/index.js': '',
      'lib/.git/HEAD': '',
      'lib/b.ts': '',
    })
    expect((await packBundle(scratch)).files).toEqual(['a.test.ts', 'a.ts', 'lib/b.ts'])
    expect((await packBundle(scratch, { ignore: ['*.test.ts', 'lib'] })).files).toEqual(['a.ts'])
  })

  it('packs a link inside as its file, and refuses one that leads outside', async () => {
    await write(scratch, { 'in/a.txt': 'a', 'secret.txt': 's' })
    await symlink('a.txt', join(scratch, 'in/b.txt'))
    expect((await packBundle(join(scratch, 'in'))).files).toEqual(['a.txt', 'b.txt'])
    await symlink('../secret.txt', join(scratch, 'in/c.txt'))
    await expect(packBundle(join(scratch, 'in'))).rejects.toEqual(rejectsBundle(/"c.txt" is neither/))
  })

  it('refuses more than its limits, and a name that no tar can hold', async () => {
    await write(scratch, { 'in/a': '12345', 'in/b': '12345' })
    await expect(packBundle(join(scratch, 'in'), { limits: { files: 1, bytes: 99 } })).rejects.toEqual(
      rejectsBundle(/at most 1 files/),
    )
    await expect(packBundle(join(scratch, 'in'), { limits: { files: 9, bytes: 9 } })).rejects.toEqual(
      rejectsBundle(/at most 9 bytes/),
    )
    await write(scratch, { [`in/${'x'.repeat(120)}`]: '' })
    await expect(packBundle(join(scratch, 'in'))).rejects.toEqual(rejectsBundle(/too long/))
  })
})

it('picks files of a bundle, the same bytes whatever else it held', async () => {
  await write(scratch, {
    'in/a.txt': 'a',
    'in/deep/b.txt': 'b',
    'in/c.txt': 'c',
    'few/a.txt': 'a',
    'few/deep/b.txt': 'b',
  })
  const { bytes } = await packBundle(join(scratch, 'in'))
  const picked = pickFromBundle(bytes, ['deep/b.txt', 'a.txt', 'a.txt'])
  expect(picked.digest).toBe((await packBundle(join(scratch, 'few'))).digest)
  expect(pickFromBundle(bytes, []).files).toEqual([])
  expect(() => pickFromBundle(bytes, ['d.txt'])).toThrow('The code holds no file "d.txt"')
})

describe('unpackBundle', () => {
  /** A tar of one file named `entry-name`, changed as told, its checksum made right again. */
  async function forged(change: (head: Buffer) => void): Promise<Buffer> {
    await write(scratch, { 'forge/entry-name': 'content' })
    const { bytes } = await packBundle(join(scratch, 'forge'))
    change(bytes)
    bytes.fill(' ', 148, 156)
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return bytes
  }
  const named = (name: string) => (head: Buffer) => void head.fill(0, 0, 100).write(name, 0)

  it.each(['../evil', '/etc/evil', 'a/../../evil', 'a//b', './a', 'a/..', ''])('refuses the name %j', async (name) => {
    const bytes = await forged(named(name))
    await expect(unpackBundle(bytes, join(scratch, 'out'))).rejects.toEqual(rejectsBundle(/could leave the directory/))
    expect(await readdir(scratch)).toEqual(['forge'])
  })

  it.each(['1', '2', '3', '6', 'x', 'L'])('refuses entries of type %s', async (type) => {
    const bytes = await forged((head) => void head.write(type, 156))
    await expect(unpackBundle(bytes, join(scratch, 'out'))).rejects.toEqual(rejectsBundle(/not a file/))
  })

  it('refuses what was cut off or changed, and what is no tar', async () => {
    const bytes = await forged(() => undefined)
    const out = join(scratch, 'out')
    await expect(unpackBundle(bytes.subarray(0, 515), out)).rejects.toEqual(rejectsBundle(/ends within "entry-name"/))
    await expect(unpackBundle(bytes.subarray(0, 1024), out)).rejects.toEqual(
      rejectsBundle(/without the two empty blocks/),
    )
    await expect(unpackBundle(Buffer.from('x'.repeat(2048)), out)).rejects.toEqual(
      rejectsBundle(/No tar header|not octal/),
    )
    await expect(unpackBundle(Buffer.alloc(0), out)).rejects.toEqual(rejectsBundle(/without the two empty blocks/))
    bytes.write('evil', 0)
    await expect(unpackBundle(bytes, out)).rejects.toEqual(rejectsBundle(/No tar header/))
  })

  it('never throws anything but invalid_bundle on changed bytes, and writes nothing outside', async () => {
    const whole = await forged(() => undefined)
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(whole)
        bytes[at] = byte
        const error = await unpackBundle(bytes, join(scratch, 'fuzz', String(run++))).catch((reason) => reason)
        if (!Array.isArray(error)) expect(error).toEqual(rejectsBundle(/./))
      }),
      { numRuns: 200 },
    )
    expect((await readdir(scratch)).sort()).toEqual(['forge', 'fuzz'])
  })

  it('refuses the same name twice, and more than its limits', async () => {
    const bytes = await forged(() => undefined)
    const twice = Buffer.concat([bytes.subarray(0, 1024), bytes])
    await expect(unpackBundle(twice, join(scratch, 'out'))).rejects.toEqual(rejectsBundle(/twice/))
    await expect(unpackBundle(twice, join(scratch, 'out2'), { files: 1, bytes: 4096 })).rejects.toEqual(
      rejectsBundle(/at most 1 files/),
    )
    await expect(unpackBundle(twice, join(scratch, 'out3'), { files: 2, bytes: 1 })).rejects.toEqual(
      rejectsBundle(/at most 1 bytes/),
    )
  })
})
