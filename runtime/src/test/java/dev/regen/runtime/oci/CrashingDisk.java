package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;

/** The local disk, until the process dies at its n-th change. */
final class CrashingDisk {
  private static final Set<String> READS = Set.of("read", "list");

  private CrashingDisk() {}

  /** The process is gone: nothing after this happens. */
  static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  /** Dies before the {@code crashAt}-th operation that changes something, and at each later one. */
  static Disk dyingAt(int crashAt) {
    LocalDisk disk = new LocalDisk();
    int[] changes = {0};
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          if (!READS.contains(method.getName()) && ++changes[0] >= crashAt) {
            throw new Crash();
          }
          try {
            return method.invoke(disk, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return (Disk)
        Proxy.newProxyInstance(Disk.class.getClassLoader(), new Class<?>[] {Disk.class}, handler);
  }
}
