package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** The local disk, until the process dies at its n-th change. */
public final class CrashingDisk {
  private static final Set<String> READS = Set.of("read", "list");

  private CrashingDisk() {}

  /** The process is gone: nothing after this happens. */
  static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  /** Dies before the {@code crashAt}-th operation that changes something, and at each later one. */
  static Disk dyingAt(int crashAt) {
    return dyingAt(
        crashAt,
        () -> {
          throw new Crash();
        });
  }

  /** As above, where {@code death} is what happens instead of the operation. */
  public static Disk dyingAt(int crashAt, Runnable death) {
    LocalDisk disk = new LocalDisk();
    AtomicInteger changes = new AtomicInteger();
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          if (!READS.contains(method.getName()) && changes.incrementAndGet() >= crashAt) {
            death.run();
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
