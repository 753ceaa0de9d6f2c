package dev.regen.agent.jobs;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Stores that jobs have open. Those with the same URL share one: a directory lets itself be opened
 * by one process once.
 */
public final class OpenStores {
  private final Map<String, Shared> open = new HashMap<>();

  private static final class Shared {
    private final RemoteStore store;
    private int users;

    Shared(RemoteStore store) {
      this.store = store;
    }
  }

  /** A use of a store. */
  public final class Use implements AutoCloseable {
    private final String url;
    private final RemoteStore store;
    private boolean closed;

    private Use(String url, RemoteStore store) {
      this.url = url;
      this.store = store;
    }

    public RemoteStore store() {
      return store;
    }

    /** The last use of a store closes it. */
    @Override
    public void close() throws IOException {
      if (!closed) {
        closed = true;
        left(url);
      }
    }
  }

  /**
   * Opens a store, or finds it open.
   *
   * @param make as {@link StoreUrl#open} has it
   */
  public synchronized Use use(StoreUrl url, boolean make) throws IOException {
    Shared shared = open.get(url.text());
    if (shared == null) {
      shared = new Shared(url.open(make));
      open.put(url.text(), shared);
    }
    shared.users++;
    return new Use(url.text(), shared.store);
  }

  private synchronized void left(String url) throws IOException {
    Shared shared = open.get(url);
    if (shared != null && --shared.users == 0) {
      open.remove(url);
      shared.store.close();
    }
  }
}
