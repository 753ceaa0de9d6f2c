package dev.regen.snapshot.diff;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Random trees, random edits and their listing, by programs that are not ours. */
final class Edits {
  private static final int SECONDS_MAX = 120;

  private static final String NAMES =
      """
      import os, random, sys, stat, hashlib
      seed = int(sys.argv[1]); r = random.Random(seed)
      NAMES = [b'a', b'a.b', b'ab', b'B', b'd-x', b'd', b'e', b'\\xfe\\xff', b'n\\nl', b'.wh.x', b'back\\\\s', 'ä'.encode()]
      T = [5, 1700000000, -7]
      def paths():
          found = []
          for top, dirs, files in os.walk(b'.'):
              found += [os.path.join(top, n) for n in dirs + files]
          return sorted(p for p in found if os.path.lexists(p))
      def folders():
          return [b'.'] + [p for p in paths() if os.path.isdir(p) and not os.path.islink(p)]
      # Overlay lists deletion marks of a directory that is in one layer alone; nothing is there.
      def gone(p):
          if not os.path.lexists(p): return
          if os.path.isdir(p) and not os.path.islink(p):
              for n in os.listdir(p): gone(os.path.join(p, n))
              os.rmdir(p)
          else: os.unlink(p)
      def fresh():
          d = r.choice(folders()); p = os.path.join(d, r.choice(NAMES))
          if os.path.lexists(p): gone(p)
          return p
      def make(p):
          k = r.randrange(12)
          if k < 5:
              with open(p, 'wb') as f: f.write(r.choice([b'', b'one', b'two', b'x' * 3000, r.randbytes(70000)]))
          elif k < 9: os.mkdir(p)
          elif k == 9: os.symlink(r.choice([b'one', b'two']), p)
          elif k == 10: os.mkfifo(p)
          else: os.mknod(p, 0o600 | stat.S_IFCHR, os.makedev(1, r.choice([3, 5])))
          os.utime(p, (0, r.choice(T)), follow_symlinks=False)
      """;

  /** Two layers of an image, the upper one with deletions and opaque directories. */
  static final String IMAGE =
      NAMES
          + """
          base = os.getcwd()
          for layer in ('lower2', 'lower1'):
              os.chdir(os.path.join(base, layer))
              for i in range(40): make(fresh())
          for p in paths():
              if r.random() < 0.1:
                  if os.path.isdir(p) and not os.path.islink(p):
                      os.setxattr(p, b'trusted.overlay.opaque', b'y')
                  else:
                      os.unlink(p); os.mknod(p, stat.S_IFCHR, 0)
          """;

  /** Edits of what is there, and new things. */
  static final String CHANGES =
      NAMES
          + """
          for i in range(30):
              all = paths(); k = r.randrange(10)
              if k < 4 or not all: make(fresh()); continue
              p = r.choice(all); link = os.path.islink(p); file = os.path.isfile(p) and not link
              if k == 4: gone(p)
              elif k == 5 and not link: os.chmod(p, r.choice([0o644, 0o755, 0o4711]))
              elif k == 6: os.chown(p, r.choice([0, 7]), 8, follow_symlinks=False)
              elif k == 7 and file:
                  t = os.stat(p)
                  with open(p, 'r+b') as f: f.write(r.choice([b'ONE', b'one']))
                  if r.random() < 0.5: os.utime(p, ns=(0, t.st_mtime_ns))
              elif k == 8 and (file or os.path.isdir(p)) and not link:
                  os.setxattr(p, b'user.k', r.choice([b'1', b'2']))
              elif k == 9 and file:
                  q = os.path.join(r.choice(folders()), r.choice(NAMES))
                  if not os.path.lexists(q): os.link(p, q)
              elif k == 9 and os.path.isdir(p) and not link:
                  gone(p); os.mkdir(p)
          """;

  /** What a container sees, one entry a path, kept in a file beside. */
  static final String LISTING =
      """
      import os, sys, pickle
      seen = {}
      def look(p, key):
          s = os.lstat(p); t = s.st_mode >> 12
          seen[key] = dict(type=t, mode=s.st_mode & 0o7777, owner=(s.st_uid, s.st_gid), time=s.st_mtime_ns,
              content=open(p, 'rb').read() if t == 8 else None,
              target=os.readlink(p) if t == 10 else None, device=s.st_rdev if t in (2, 6) else None,
              xattrs={n: os.getxattr(p, n, follow_symlinks=False) for n in os.listxattr(p, follow_symlinks=False)
                      if n.startswith('user.')})
          if t == 4:
              for n in os.listdir(p):
                  if os.path.lexists(os.path.join(p, n)): look(os.path.join(p, n), key + (n,))
      look(b'.', ())
      pickle.dump(seen, open('../' + chr(int(sys.argv[1])) + '.seen', 'wb'))
      """;

  /** The two listings compared. */
  static final String DIFFERENCE =
      """
      import pickle, sys
      a, b = (pickle.load(open(n + '.seen', 'rb')) for n in 'ab')
      ORDER = ['content', 'target', 'device', 'mode', 'owner', 'time', 'xattrs']
      def shown(key):
          text = '/' + '/'.join(n.decode('utf-8', 'surrogateescape') for n in key).replace('\\\\', '\\\\\\\\')
          text = text.replace('\\n', '\\\\x0a')
          return ''.join('\\\\x%02x' % (ord(c) - 0xdc00) if 0xdc80 <= ord(c) <= 0xdcff else c for c in text)
      out = []
      for key in sorted(set(a) | set(b)):
          if key not in a: out.append('A - ' + shown(key))
          elif key not in b: out.append('D - ' + shown(key))
          elif a[key]['type'] != b[key]['type']: out.append('C type ' + shown(key))
          else:
              what = [k for k in ORDER if a[key][k] != b[key][k]]
              if what: out.append('C ' + ','.join(what) + ' ' + shown(key))
      sys.stdout.buffer.write(''.join(line + '\\n' for line in out).encode())
      """;

  private Edits() {}

  static String bash(Path directory, String script) throws IOException {
    return run(directory, "bash", "-euo", "pipefail", "-c", script);
  }

  static String python(Path directory, String script, int seed) throws IOException {
    return run(directory, "python3", "-c", script, String.valueOf(seed));
  }

  static boolean isRoot() throws IOException {
    return bash(Path.of("/"), "id -u").strip().equals("0");
  }

  private static String run(Path directory, String... words) throws IOException {
    Process process =
        new ProcessBuilder(words).directory(directory.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IOException(words[words.length - 1] + ": " + output);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return output;
  }
}
