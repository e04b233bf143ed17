"""Every error gitmemo raises on purpose, in one tree under `GitmemoError` (exit 1).

    values
      Unhashable             exit 1
        RefInside            exit 1
        FigureRefused        exit 1
      Unencodable            exit 1
      UndecodableValue       exit 4
      ValueMissing           exit 4
      OverflowMissing        exit 4
      UntrustedValue         exit 6
      NotReproducible        exit 1
      ApproxUnsupported      exit 1
      ApproxTooLarge         exit 1
    files
      NotAFile               exit 1
      FileInTheWay           exit 1
      FileOutside            exit 1
    code
      SourceError            exit 1
      UntrackableOp          exit 1
      OpNameTaken            exit 1
      UnknownNotebook        exit 1
      UnusableFileName       exit 3
      MemoCellRefused        exit 2
      WrongOutputs           exit 1
      BadOption              exit 2
      DependencyMissing      exit 2
      SignatureChanged       exit 1
      NewCallRefused         exit 3
      NoActiveStorage        exit 1
      NotAnOp                exit 1
      StorageInMemory        exit 1
      InputMutated           exit 1
      UnreliableTracking     exit 1
      MissingDependencies    exit 3
      OpNotLoaded            exit 2
      WrongArguments         exit 2
    refs
      NotARef                exit 1
      RefMisuse              exit 1
      UnknownRef             exit 1
    frames
      FramesDiffer           exit 2
      UnknownNode            exit 2
      UnknownAuthor          exit 2
      TableNotWritten        exit 2
      NameTaken              exit 2
      WrongQuestion          exit 2
      PlanOutdated           exit 2
    records
      CorruptRecord          exit 4
      SegmentUnreadable      exit 4
        CorruptSegment       exit 4
        SegmentSpilled       exit 4
      SegmentsAltered        exit 3
      CorruptJournal         exit 4
      UnknownTombstone       exit 2
      NewerFormat            exit 4
      OlderFormat            exit 4
    remotes
      InvalidName            exit 2
      RemoteInvalid          exit 2
        RemoteNotPlain       exit 2
        RemoteInside         exit 2
      RemoteMoved            exit 2
      RemoteUnknown          exit 2
      TargetUnknown          exit 2
      TargetAmbiguous        exit 2
      KeyUnusable            exit 2
    transfers
      BlobCorrupt            exit 4
      RemoteDriverMissing    exit 5
      RemoteUnreachable      exit 5
        RemoteDenied         exit 5
        RemoteFull           exit 5
        RemoteFolderLinked   exit 5
        RemoteReadOnly       exit 5
        RemoteNotListed      exit 5
        RemoteOptionUnknown  exit 5
        RemotePlaceMissing   exit 5
        RemoteGone           exit 5
      RemoteMissing          exit 5
      RemoteTooNew           exit 5
      RemoteUnsigned         exit 6
      RemoteCorrupt          exit 4
      RemoteObjectRefused    exit 4
    collecting
      RecordsUnreadable      exit 4
      CollectingAlready      exit 5
      RemoteShared           exit 3
      PusherUnknown          exit 2
      MarkDamaged            exit 4
    stores
      StoreGone              exit 5
      StoreUnusable          exit 2
      StoreCommitted         exit 2
      StoreInUse             exit 5
      SharersUnreadable      exit 4
      SharerUnknown          exit 2
    repository
      GitMissing             exit 1
      GitFailed              exit 1
      NotInRepository        exit 1
      NotCheckedOut          exit 3
      CommittedRepository    exit 1
      MissingObject          exit 4
      RefContended           exit 1
      HistoryRejected        exit 4
      HookRefused            exit 1
      CompactionRefused      exit 3
      SpillRefused           exit 3
      OperationInProgress    exit 3
    project
      NotInitialised         exit 3
      UncommittedCode        exit 3
      NothingDecided         exit 2
      NothingToDecide        exit 2
      NothingToDrop          exit 2
      NothingToForget        exit 2
      CannotRename           exit 2
      SeveralDecisions       exit 2
      NoSuchDependency       exit 2
      ContraryEvidence       exit 7
      BadSetting             exit 2
      InvalidStorage         exit 2
      StorageClosed          exit 1
      UnknownOp              exit 2
      UnknownRevision        exit 2
      RangeGiven             exit 2
      ReadOnlyRevision       exit 2
      Aborted                exit 130
      NotConfirmed           exit 2
      UndecidedChanges       exit 3
        DecisionNeeded       exit 3
      DemoFailed             exit 1
    queries
      AmbiguousPattern       exit 2
      DisconnectedPattern    exit 2
      UnconstrainedVariable  exit 2
      NotInPattern           exit 2
    pages
      PageNotWritten         exit 2
      CannotListen           exit 5
    pictures
      UnknownPictureFormat   exit 2
      GraphvizMissing        exit 1
      GraphvizFailed         exit 1
      PictureNotWritten      exit 2
    versions
      NotVersioned           exit 2
      DifferentKinds         exit 2
      ComponentIsNoOp        exit 2
      UnknownComponent       exit 2
      UnknownId              exit 2
      AmbiguousId            exit 2
    tags
      BadTagName             exit 2
      UnknownTag             exit 2
      TagTaken               exit 2
      TagContested           exit 3
      TaggedGone             exit 2
      CannotTag              exit 2
    parallel
      CallsFailed            exit 1
      LengthsDiffer          exit 2
      OptionIsArgument       exit 2
      CallNotMade            exit 1
      BatchEntered           exit 1
      WaitsInside            exit 1
      ArgumentsChanged       exit 1
      ForkedInBatch          exit 1
    workers
      BackendUnfit           exit 2
      RaisedElsewhere        exit 1
      WorkerDiffers          exit 3
      WorkersApart           exit 3
      WorkersLost            exit 5
      ResourceMissing        exit 2
    moving
      NotAnOldStore          exit 2
      NothingMapped          exit 2
    settings
      SettingElsewhere       exit 2
      UnknownSetting         exit 2
    system
      SystemRefused          exit 1
      IndexUnusable          exit 5
      GitmemoBug             exit 70

What this is not: a place for logic. Invariant: every error has a remedy.
"""

from gitmemo.errors.base import GitmemoError
from gitmemo.errors.code import (
    BadOption,
    DependencyMissing,
    InputMutated,
    MemoCellRefused,
    MissingDependencies,
    NewCallRefused,
    NoActiveStorage,
    NotAnOp,
    OpNameTaken,
    OpNotLoaded,
    SignatureChanged,
    SourceError,
    StorageInMemory,
    UnknownNotebook,
    UnreliableTracking,
    UntrackableOp,
    UnusableFileName,
    WrongArguments,
    WrongOutputs,
)
from gitmemo.errors.collecting import (
    CollectingAlready,
    MarkDamaged,
    PusherUnknown,
    RecordsUnreadable,
    RemoteShared,
)
from gitmemo.errors.decisions import (
    ContraryEvidence,
    NothingDecided,
    NothingToDecide,
    SeveralDecisions,
    UndecidedChanges,
)
from gitmemo.errors.files import FileInTheWay, FileOutside, NotAFile
from gitmemo.errors.frames import (
    FramesDiffer,
    NameTaken,
    PlanOutdated,
    TableNotWritten,
    UnknownAuthor,
    UnknownNode,
    WrongQuestion,
)
from gitmemo.errors.moving import NotAnOldStore, NothingMapped
from gitmemo.errors.pages import CannotListen, PageNotWritten
from gitmemo.errors.parallel import (
    ArgumentsChanged,
    BatchEntered,
    CallNotMade,
    CallsFailed,
    ForkedInBatch,
    LengthsDiffer,
    OptionIsArgument,
    WaitsInside,
)
from gitmemo.errors.pictures import (
    GraphvizFailed,
    GraphvizMissing,
    PictureNotWritten,
    UnknownPictureFormat,
)
from gitmemo.errors.project import (
    Aborted,
    BadSetting,
    CannotRename,
    DemoFailed,
    InvalidStorage,
    NoSuchDependency,
    NotConfirmed,
    NothingToDrop,
    NothingToForget,
    NotInitialised,
    RangeGiven,
    ReadOnlyRevision,
    SettingsUnreadable,
    StorageClosed,
    UncommittedCode,
    UnknownOp,
    UnknownRevision,
)
from gitmemo.errors.queries import (
    AmbiguousPattern,
    DisconnectedPattern,
    NotInPattern,
    UnconstrainedVariable,
)
from gitmemo.errors.records import (
    CorruptJournal,
    CorruptRecord,
    CorruptSegment,
    NewerFormat,
    OlderFormat,
    SegmentsAltered,
    SegmentSpilled,
    SegmentUnreadable,
    UnknownTombstone,
)
from gitmemo.errors.refs import NotARef, RefMisuse, UnknownRef
from gitmemo.errors.remotes import (
    InvalidName,
    KeyUnusable,
    RemoteInside,
    RemoteInvalid,
    RemoteMoved,
    RemoteNotPlain,
    RemoteUnknown,
    TargetAmbiguous,
    TargetUnknown,
)
from gitmemo.errors.repository import (
    CommittedRepository,
    CompactionRefused,
    GitFailed,
    GitMissing,
    HistoryRejected,
    HookRefused,
    LinkInside,
    MissingObject,
    NotCheckedOut,
    NotInRepository,
    OperationInProgress,
    RefContended,
    SpillRefused,
)
from gitmemo.errors.settings import SettingElsewhere, UnknownSetting
from gitmemo.errors.stores import (
    SharersUnreadable,
    SharerUnknown,
    StoreCommitted,
    StoreGone,
    StoreInUse,
    StoreUnusable,
)
from gitmemo.errors.system import GitmemoBug, IndexUnusable, SystemRefused
from gitmemo.errors.tags import (
    BadTagName,
    CannotTag,
    TagContested,
    TaggedGone,
    TagTaken,
    UnknownTag,
)
from gitmemo.errors.transfers import (
    BlobCorrupt,
    RemoteCorrupt,
    RemoteDenied,
    RemoteDriverMissing,
    RemoteFolderLinked,
    RemoteFull,
    RemoteGone,
    RemoteMissing,
    RemoteNotListed,
    RemoteObjectRefused,
    RemoteOptionUnknown,
    RemotePlaceMissing,
    RemoteReadOnly,
    RemoteTooNew,
    RemoteUnreachable,
    RemoteUnsigned,
)
from gitmemo.errors.values import (
    ApproxTooLarge,
    ApproxUnsupported,
    FigureRefused,
    NotReproducible,
    OverflowMissing,
    RefInside,
    UndecodableValue,
    Unencodable,
    Unhashable,
    UntrustedValue,
    ValueMissing,
)
from gitmemo.errors.versions import (
    AmbiguousId,
    ComponentIsNoOp,
    DecisionNeeded,
    DifferentKinds,
    NotVersioned,
    UnknownComponent,
    UnknownId,
)
from gitmemo.errors.workers import (
    BackendUnfit,
    RaisedElsewhere,
    ResourceMissing,
    WorkerDiffers,
    WorkersApart,
    WorkersLost,
)

__all__ = [
    "Aborted",
    "AmbiguousId",
    "AmbiguousPattern",
    "ApproxTooLarge",
    "ApproxUnsupported",
    "ArgumentsChanged",
    "BackendUnfit",
    "BadOption",
    "BadSetting",
    "BadTagName",
    "BatchEntered",
    "BlobCorrupt",
    "CallNotMade",
    "CallsFailed",
    "CannotListen",
    "CannotRename",
    "CannotTag",
    "CollectingAlready",
    "CommittedRepository",
    "CompactionRefused",
    "ComponentIsNoOp",
    "ContraryEvidence",
    "CorruptJournal",
    "CorruptRecord",
    "CorruptSegment",
    "DecisionNeeded",
    "DemoFailed",
    "DependencyMissing",
    "DifferentKinds",
    "DisconnectedPattern",
    "FigureRefused",
    "FileInTheWay",
    "FileOutside",
    "ForkedInBatch",
    "FramesDiffer",
    "GitFailed",
    "GitMissing",
    "GitmemoBug",
    "GitmemoError",
    "GraphvizFailed",
    "GraphvizMissing",
    "HistoryRejected",
    "HookRefused",
    "IndexUnusable",
    "InputMutated",
    "InvalidName",
    "InvalidStorage",
    "KeyUnusable",
    "LengthsDiffer",
    "LinkInside",
    "MarkDamaged",
    "MemoCellRefused",
    "MissingDependencies",
    "MissingObject",
    "NameTaken",
    "NewCallRefused",
    "NewerFormat",
    "NoActiveStorage",
    "NoSuchDependency",
    "NotAFile",
    "NotARef",
    "NotAnOldStore",
    "NotAnOp",
    "NotCheckedOut",
    "NotConfirmed",
    "NotInPattern",
    "NotInRepository",
    "NotInitialised",
    "NotReproducible",
    "NotVersioned",
    "NothingDecided",
    "NothingMapped",
    "NothingToDecide",
    "NothingToDrop",
    "NothingToForget",
    "OlderFormat",
    "OpNameTaken",
    "OpNotLoaded",
    "OperationInProgress",
    "OptionIsArgument",
    "OverflowMissing",
    "PageNotWritten",
    "PictureNotWritten",
    "PlanOutdated",
    "PusherUnknown",
    "RaisedElsewhere",
    "RangeGiven",
    "ReadOnlyRevision",
    "RecordsUnreadable",
    "RefContended",
    "RefInside",
    "RefMisuse",
    "RemoteCorrupt",
    "RemoteDenied",
    "RemoteDriverMissing",
    "RemoteFolderLinked",
    "RemoteFull",
    "RemoteGone",
    "RemoteInside",
    "RemoteInvalid",
    "RemoteMissing",
    "RemoteMoved",
    "RemoteNotListed",
    "RemoteNotPlain",
    "RemoteObjectRefused",
    "RemoteOptionUnknown",
    "RemotePlaceMissing",
    "RemoteReadOnly",
    "RemoteShared",
    "RemoteTooNew",
    "RemoteUnknown",
    "RemoteUnreachable",
    "RemoteUnsigned",
    "ResourceMissing",
    "SegmentSpilled",
    "SegmentUnreadable",
    "SegmentsAltered",
    "SettingElsewhere",
    "SettingsUnreadable",
    "SeveralDecisions",
    "SharerUnknown",
    "SharersUnreadable",
    "SignatureChanged",
    "SourceError",
    "SpillRefused",
    "StorageClosed",
    "StorageInMemory",
    "StoreCommitted",
    "StoreGone",
    "StoreInUse",
    "StoreUnusable",
    "SystemRefused",
    "TableNotWritten",
    "TagContested",
    "TagTaken",
    "TaggedGone",
    "TargetAmbiguous",
    "TargetUnknown",
    "UncommittedCode",
    "UnconstrainedVariable",
    "UndecidedChanges",
    "UndecodableValue",
    "Unencodable",
    "Unhashable",
    "UnknownAuthor",
    "UnknownComponent",
    "UnknownId",
    "UnknownNode",
    "UnknownNotebook",
    "UnknownOp",
    "UnknownPictureFormat",
    "UnknownRef",
    "UnknownRevision",
    "UnknownSetting",
    "UnknownTag",
    "UnknownTombstone",
    "UnreliableTracking",
    "UntrackableOp",
    "UntrustedValue",
    "UnusableFileName",
    "ValueMissing",
    "WaitsInside",
    "WorkerDiffers",
    "WorkersApart",
    "WorkersLost",
    "WrongArguments",
    "WrongOutputs",
    "WrongQuestion",
]
