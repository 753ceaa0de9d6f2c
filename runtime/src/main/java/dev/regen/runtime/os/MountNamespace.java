package dev.regen.runtime.os;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * A mount namespace other than the one this process began in. Work is done there by a thread that
 * enters it, so every path, every mount and the mount table are those of the namespace.
 *
 * @param process one of the processes in it
 * @param name what the kernel calls it: {@code mnt:[4026532000]}; may be used again once it is gone
 */
public record MountNamespace(long process, String name) {
  private static final Path PROC = Path.of("/proc");
  private static final int CLONE_FS = 0x200;
  private static final int CLONE_NEWNS = 0x20000;

  /** Something to do in a namespace. */
  @FunctionalInterface
  public interface Work<T> {
    T call() throws IOException;
  }

  /** The one that {@code process} is in; fails if that is gone. */
  public static MountNamespace of(long process) throws IOException {
    return new MountNamespace(process, nameOf(Long.toString(process)));
  }

  /** The one that the calling thread is in. */
  public static MountNamespace own() throws IOException {
    return new MountNamespace(ProcessHandle.current().pid(), nameOf("thread-self"));
  }

  /** Every other one that some process is in now, each once. */
  public static List<MountNamespace> others() throws IOException {
    Map<String, MountNamespace> found = new LinkedHashMap<>();
    String own = own().name();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        MountNamespace there = ofOneThatMayEnd(process);
        if (there != null && !there.name().equals(own)) {
          found.putIfAbsent(there.name(), there);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return List.copyOf(found.values());
  }

  /** A path of this namespace as the calling thread can reach it, while {@link #process} lives. */
  public Path seen(Path absolute) {
    return PROC.resolve(process + "/root").resolve(Path.of("/").relativize(absolute));
  }

  /**
   * Does {@code work} in this namespace and waits for it, on a thread of its own. Threads that it
   * starts are there too, those of a pool that exists already are not.
   *
   * @throws IOException if the namespace cannot be entered, being gone for one; or as {@code work}
   *     does
   */
  public <T> T call(Work<T> work) throws IOException {
    FutureTask<T> task =
        new FutureTask<>(() -> {
          enter();
          return work.call();
        });
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name(Thread.currentThread().getName() + " in " + name)
            .start(task);
    try {
      return result(task, thread);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static @Nullable MountNamespace ofOneThatMayEnd(Path process) {
    try {
      return of(Long.parseLong(String.valueOf(process.getFileName())));
    } catch (IOException e) {
      return null;
    }
  }

  private void enter() throws IOException {
    Path file = PROC.resolve(process + "/ns/mnt");
    byte[] path = Fd.bytes(file);
    try (Fd namespace = Fd.open(path, Fd.RDONLY, 0)) {
      if (!nameOf(Long.toString(process)).equals(name)) {
        throw new IOException(name + " is gone");
      }
      // A thread may change namespace only with a root and working directory of its own.
      if (Libc.unshare(CLONE_FS) != 0) {
        throw ErrnoException.last("unshare", path);
      }
      if (Libc.setns(namespace.number(), CLONE_NEWNS) != 0) {
        throw ErrnoException.last("setns", path);
      }
    }
  }

  /** Waits to the end whatever comes; an interruption is the work's to heed. */
  private static <T> T result(FutureTask<T> task, Thread thread) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
          thread.interrupt();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static String nameOf(String process) throws IOException {
    return Files.readSymbolicLink(PROC.resolve(process).resolve("ns/mnt")).toString();
  }
}
