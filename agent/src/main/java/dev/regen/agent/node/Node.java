package dev.regen.agent.node;

import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Asked;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.node.MessageStream.Message;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.QueueWatcher;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This host as a node of a fleet, from {@link #start} on. All of it runs on threads of its own:
 * with a manager that is away, or a disk that takes nothing, the agent does what it would do alone.
 */
public final class Node implements QueueWatcher, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final Duration SAVE_EVERY = Duration.ofSeconds(2);
  private static final Duration OPEN_EVERY = Duration.ofSeconds(10);
  private static final int HEARD_MAX = 256;
  private static final int TOGETHER_MAX = 64;

  /** Messages that came twice are told apart from those that are asked for anew. */
  private static final int REMEMBERED_MAX = 10_000;

  private final @Nullable NodeConfiguration configuration;
  private final Disk disk;
  private final Path run;
  private final InstantSource clock;
  private final Outbox outbox;
  private final Inbox inbox;
  private final SettingTable table;
  private final NodeSettings settings;
  private final Removed removed;
  private final BlockingQueue<Message> heard = new LinkedBlockingQueue<>(HEARD_MAX);
  private final Set<String> begun = new LinkedHashSet<>();
  private final List<Thread> threads = new ArrayList<>();
  private @Nullable Link link;

  /** Something that a thread does to its end. */
  private interface Part {
    void run() throws InterruptedException;
  }

  /**
   * Nothing is read or written before {@link #start}.
   *
   * @param configuration null if this host is no node: its queues' settings are kept all the same
   * @param home of the agent
   * @param run where its socket is
   */
  public Node(
      @Nullable NodeConfiguration configuration,
      Disk disk,
      Path home,
      Path run,
      Events events,
      InstantSource clock) {
    this.configuration = configuration;
    this.disk = disk;
    this.run = run;
    this.clock = clock;
    outbox = new Outbox(configuration != null);
    Path own = home.resolve("node");
    inbox = new Inbox(disk, own);
    table = new SettingTable(disk, own);
    settings = new NodeSettings(table, outbox, events, clock);
    removed = new Removed(disk, own, outbox);
  }

  /** The labels and policies of a queue. */
  public List<JsonObject> labels(QueueName queue) {
    return table.labels(queue.value());
  }

  /**
   * Changes a label or policy of a queue; empty removes it.
   *
   * @param name {@code label:NAME} or {@code policy:NAME}
   */
  public void label(QueueName queue, String name, String value, String by) throws IOException {
    settings.label(queue.value(), name, value, by);
    outbox.queue(queue.value());
  }

  /** Connects from now on; waits for nothing. */
  public void start(Routes routes, Jobs jobs) throws IOException {
    table.open();
    begin("settings", this::save);
    NodeConfiguration joined = configuration;
    if (joined == null) {
      leave();
      return;
    }
    join(joined, routes, jobs);
  }

  /** An agent that had a manager may have died and said no good-bye. */
  private void leave() {
    try {
      NodeStatus.remove(disk, run);
    } catch (IOException e) {
      LOG.warn("'regen doctor' tells of a fleet that this host is no node of: {}", Why.of(e));
    }
  }

  private void join(NodeConfiguration joined, Routes routes, Jobs jobs) throws IOException {
    NodeJobs told = new NodeJobs(jobs, outbox);
    Orders orders = new Orders(routes, jobs, told, inbox, outbox);
    Inventory inventory = new Inventory(routes, table);
    Reporter reporter = new Reporter(outbox, inventory, table, told);
    Link made = new Link(joined.manager(), joined.name(), disk, run, clock, inbox, reporter, heard);
    link = made;
    begin(
        "node",
        () -> {
          List<JsonObject> waiting = opened(inventory);
          jobs.listen(told::tell);
          told.tellAll();
          begin("node-reports", reporter::run);
          begin("node-link", made::run);
          begin("node-watch", made::watch);
          follow(waiting, orders, reporter, routes);
        });
  }

  /** By whoever runs on this thread. */
  @Override
  public void changing(QueueName name, QueueContent before, @Nullable QueueContent after) {
    if (configuration != null) {
      removals(before, after).forEach(removed::begin);
    }
  }

  /** As above. */
  @Override
  public void changed(QueueName name, @Nullable QueueContent before, @Nullable QueueContent after) {
    String queue = name.value();
    outbox.queue(queue);
    if (after == null) {
      table.removeQueue(queue);
    } else if (before != null) {
      settings(queue, before, after);
    }
    if (configuration != null && before != null) {
      removals(before, after).forEach(removed::end);
    }
  }

  @Override
  public void close() {
    outbox.close();
    Link open = link;
    if (open != null) {
      open.close();
    }
    synchronized (threads) {
      threads.forEach(Thread::interrupt);
    }
    saveNow();
  }

  private void settings(String queue, QueueContent before, QueueContent after) {
    String by = Asked.current().by();
    if (before.keep() != after.keep()) {
      settings.changed(queue, "keep", (long) after.keep(), by);
    }
    for (Element was : before.elements()) {
      Optional<Element> is = after.element(was.id());
      String pin = "pin:" + was.id().value();
      if (is.isEmpty()) {
        table.remove(queue, pin);
      } else if (is.get().pinned() != was.pinned()) {
        settings.changed(queue, pin, is.get().pinned(), by);
      }
    }
  }

  /** What somebody removes: what a newer one or a shorter queue pushes out was to go. */
  private List<Removed.Removal> removals(QueueContent before, @Nullable QueueContent after) {
    String queue = before.name().value();
    String by = Asked.current().by();
    Instant at = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    if (after == null) {
      return before.elements().isEmpty()
          ? List.of()
          : List.of(new Removed.Removal(queue, null, by, at));
    }
    boolean pushedOut =
        before.keep() != after.keep()
            || after.elements().stream().anyMatch(one -> before.element(one.id()).isEmpty());
    return pushedOut
        ? List.of()
        : before.leftIn(after).stream()
            .map(id -> new Removed.Removal(queue, id.value(), by, at))
            .toList();
  }

  /** Reads what the agent before left, as soon as that can be. */
  private List<JsonObject> opened(Inventory inventory) throws InterruptedException {
    String before = "";
    while (true) {
      try {
        List<JsonObject> waiting = inbox.open();
        removed.open(inventory::holds);
        inventory.compare(settings);
        return waiting;
      } catch (IOException | RuntimeException e) {
        String why = Why.of(e);
        if (!why.equals(before) && !outbox.isClosed()) {
          LOG.error("this agent cannot be a node of a fleet now: {}", why);
        }
        before = why;
        Thread.sleep(OPEN_EVERY);
      }
    }
  }

  private void save() throws InterruptedException {
    while (!outbox.isClosed()) {
      Thread.sleep(SAVE_EVERY);
      saveNow();
    }
  }

  private void saveNow() {
    try {
      table.save();
    } catch (IOException e) {
      LOG.warn("who changed which setting may be forgotten: {}", Why.of(e));
    }
  }

  /** Does what messages say, one after another. */
  private void follow(List<JsonObject> waiting, Orders orders, Reporter reporter, Routes routes)
      throws InterruptedException {
    if (!waiting.isEmpty()) {
      begin(waiting, orders, reporter);
    }
    List<Message> together = new ArrayList<>();
    while (!outbox.isClosed()) {
      together.add(heard.take());
      heard.drainTo(together, TOGETHER_MAX - 1);
      begin(
          together.stream()
              .map(Message::json)
              .filter(json -> "operation".equals(json.members().get("kind")))
              .toList(),
          orders,
          reporter);
      for (Message message : together) {
        other(message, orders, routes);
      }
      together.clear();
    }
  }

  /** Begins operations that were not withdrawn, once the manager has said so. */
  private void begin(List<JsonObject> operations, Orders orders, Reporter reporter)
      throws InterruptedException {
    List<JsonObject> fresh = new ArrayList<>();
    List<String> ids = new ArrayList<>();
    for (JsonObject operation : operations) {
      String id = String.valueOf(operation.members().get("id"));
      if (begun.add(id)) {
        fresh.add(operation);
        ids.add(id);
      }
    }
    while (begun.size() > REMEMBERED_MAX) {
      begun.remove(begun.iterator().next());
    }
    ids.removeIf(orders::isKnown);
    Set<String> withdrawn = ids.isEmpty() ? Set.of() : reporter.announce(ids);
    if (withdrawn == null) {
      return;
    }
    for (JsonObject operation : fresh) {
      String id = String.valueOf(operation.members().get("id"));
      if (withdrawn.contains(id)) {
        inbox.remove(id);
      } else {
        orders.begin(id, operation);
      }
    }
  }

  private void other(Message message, Orders orders, Routes routes) throws InterruptedException {
    JsonObject json = message.json();
    try {
      switch (json.string("kind")) {
        case "operation" -> {}
        case "cancel" -> orders.cancel(json);
        case "setting" -> settings.heard(json, routes);
        default -> LOG.warn("the manager says what this agent does not understand: {}", json);
      }
      inbox.handled(message.seq());
    } catch (IOException | RuntimeException e) {
      LOG.warn("a message of the manager's was not followed: {}", Why.of(e));
    }
  }

  private void begin(String name, Part part) {
    Thread thread =
        Thread.ofVirtual()
            .name(name)
            .unstarted(() -> {
              try {
                part.run();
              } catch (InterruptedException e) {
                LOG.debug("{} ends", name);
              } catch (RuntimeException e) {
                LOG.error("{} has failed; this agent is no node until it is started anew", name, e);
              }
            });
    synchronized (threads) {
      threads.add(thread);
    }
    thread.start();
  }
}
